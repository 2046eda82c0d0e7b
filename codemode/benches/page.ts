interface Issue {
  id: number;
  title: string;
  labels: string[];
  updated: string;
}

type Group = { label: string; issues: Issue[] };

const wanted: readonly string[] = ["bug", "regression", "flaky"];

function group(issues: Issue[]): Group[] {
  const groups = new Map<string, Issue[]>();
  for (const issue of issues) {
    const label = issue.labels.find((one) => wanted.includes(one)) ?? "other";
    const known = groups.get(label);
    if (known) {
      known.push(issue);
    } else {
      groups.set(label, [issue]);
    }
  }
  return [...groups].map(([label, found]) => ({ label, issues: found }));
}

class Report {
  readonly #lines: string[] = [];

  constructor(private readonly title: string) {}

  add(line: string): this {
    this.#lines.push(line);
    return this;
  }

  toString(): string {
    return [`# ${this.title}`, ...this.#lines].join("\n");
  }
}

const pages = Array.from({ length: 10 }, (_, page) => page + 1);
const issues: Issue[] = pages.flatMap((page) =>
  Array.from({ length: 10 }, (_, n) => ({
    id: page * 100 + n,
    title: `Issue ${n} of page ${page}`,
    labels: n % 2 ? ["bug"] : ["chore"],
    updated: new Date(n * 86_400_000).toISOString(),
  })),
);

const report = new Report("Open issues");
for (const { label, issues: found } of group(issues)) {
  report.add(`- ${label}: ${found.length}`);
}
await (globalThis as any).host.echo(report.toString());
console.log("posted");
return issues.length;
