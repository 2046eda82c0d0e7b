//! Where a text's fences and tables are: what a message that begins inside of one has to begin with.

/// A longer opening is not repeated whole: an answer is not to be made of headers.
const OPENING_MAX: usize = 500;

/// A longer info string of a fence is not repeated: it names a language, or is of no use, and messages may be short.
const INFO_MAX: usize = 40;

/// The deepest quotation that is looked into.
const QUOTES_MAX: usize = 16;

/// A fence or a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Carried {
    /// Where its first line begins.
    pub(super) start: usize,
    /// Where what it holds begins: behind the opening of a fence, the header of a table.
    pub(super) body: usize,
    /// Where it ends: behind the closing line or the last row. A fence that is still open ends nowhere.
    pub(super) end: usize,
    /// What a message that begins inside of it begins with: the fence's opening line, or the table's header.
    pub(super) opening: String,
    /// What a message that ends inside of it ends with; a table needs nothing.
    pub(super) closing: String,
}

impl Carried {
    pub(super) fn is_table(&self) -> bool {
        self.closing.is_empty()
    }
}

/// The fences and tables of a text, found in one pass over it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Outline {
    carried: Vec<Carried>,
}

impl Outline {
    pub(super) fn of(text: &str) -> Self {
        let mut reader = Reader::default();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            reader.line(start, line);
            start += line.len();
        }
        if reader.is_open
            && let Some(last) = reader.carried.last_mut()
        {
            last.end = if last.is_table() { text.len() } else { usize::MAX };
        }
        Self { carried: reader.carried }
    }

    /// The fence or table inside of which byte `at` is.
    pub(super) fn at(&self, at: usize) -> Option<&Carried> {
        self.around(at).filter(|carried| carried.body <= at)
    }

    /// The fence or table of which byte `at` is a part, its opening included; not where it begins.
    pub(super) fn around(&self, at: usize) -> Option<&Carried> {
        let behind = self.carried.partition_point(|carried| carried.start < at);
        self.carried.get(behind.checked_sub(1)?).filter(|carried| at < carried.end)
    }
}

/// Reads line by line (CommonMark 0.31, section 4.5; GFM, "Tables (extension)").
#[derive(Default)]
struct Reader {
    carried: Vec<Carried>,
    /// Whether the last one goes on.
    is_open: bool,
    /// How many quotations the open one is in.
    depth: usize,
    /// The line before, where it could be a table's header: where it begins, its text, its cells.
    header: Option<(usize, String, usize)>,
}

impl Reader {
    fn line(&mut self, start: usize, line: &str) {
        let end = start + line.len();
        let bare = line.trim_end_matches(['\n', '\r']);
        let (prefix, depth, content) = unquoted(bare);
        if self.is_open {
            let Some(last) = self.carried.last_mut() else { return };
            if last.is_table() {
                if depth == 0 && content.contains('|') && fence(content).is_none() {
                    last.end = end;
                    return;
                }
                self.is_open = false;
            } else if depth < self.depth {
                last.end = start;
                self.is_open = false;
            } else {
                let run = last.closing.trim_start_matches(['>', ' ']);
                let trimmed = content.trim_end();
                if indent(content) <= 3
                    && trimmed.trim_start().len() >= run.len()
                    && trimmed.trim_start().chars().all(|c| run.starts_with(c))
                {
                    last.end = end;
                    self.is_open = false;
                }
                return;
            }
        }
        if let Some(run) = fence(content) {
            let info = content.trim_start().strip_prefix(run).unwrap_or_default();
            let info = if info.len() > INFO_MAX { "" } else { info };
            let opening = format!("{prefix}{run}{info}");
            let closing = format!("{prefix}{run}");
            self.carried.push(Carried { start, body: end, end: usize::MAX, opening, closing });
            (self.is_open, self.depth, self.header) = (true, depth, None);
            return;
        }
        let cells = if depth == 0 { delimiters(content) } else { None };
        if let Some((header, text, count)) = self.header.take()
            && cells == Some(count)
        {
            let whole = format!("{text}\n{bare}");
            let opening = if whole.len() > OPENING_MAX { String::new() } else { whole };
            self.carried.push(Carried { start: header, body: end, end, opening, closing: String::new() });
            self.is_open = true;
            return;
        }
        let may_be_header = depth == 0 && indent(content) <= 3 && content.contains('|');
        self.header = may_be_header.then(|| (start, bare.to_owned(), cells_of(content)));
    }
}

fn indent(content: &str) -> usize {
    content.len() - content.trim_start_matches(' ').len()
}

/// The signs of the quotations around a line, how many they are, and what stands behind them.
fn unquoted(line: &str) -> (&str, usize, &str) {
    let (mut depth, mut rest) = (0, line);
    while depth < QUOTES_MAX && indent(rest) <= 3 {
        let Some(behind) = rest.trim_start_matches(' ').strip_prefix('>') else { break };
        rest = behind.strip_prefix(' ').unwrap_or(behind);
        depth += 1;
    }
    let prefix = line.get(..line.len() - rest.len()).unwrap_or_default();
    (prefix, depth, rest)
}

/// The run of signs that opens a fence.
fn fence(content: &str) -> Option<&str> {
    if indent(content) > 3 {
        return None;
    }
    let content = content.trim_start_matches(' ');
    let sign = content.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let info = content.trim_start_matches(sign);
    let run = content.get(..content.len() - info.len())?;
    (run.len() >= 3 && !(sign == '`' && info.contains('`'))).then_some(run)
}

/// The number of cells of a delimiter row.
fn delimiters(content: &str) -> Option<usize> {
    let is_delimiter = indent(content) <= 3
        && content.contains('-')
        && content.bytes().all(|byte| matches!(byte, b'-' | b':' | b'|' | b' ' | b'\t'));
    let is_whole = |cell: &str| {
        let cell = cell.trim();
        let dashes = cell.strip_prefix(':').unwrap_or(cell);
        let dashes = dashes.strip_suffix(':').unwrap_or(dashes);
        !dashes.is_empty() && dashes.bytes().all(|byte| byte == b'-')
    };
    (is_delimiter && inside(content).split('|').all(is_whole)).then(|| cells_of(content))
}

fn cells_of(row: &str) -> usize {
    inside(row).replace("\\|", "").matches('|').count() + 1
}

/// A row without the bars at its ends.
fn inside(row: &str) -> &str {
    let row = row.trim();
    let row = row.strip_prefix('|').unwrap_or(row);
    if row.ends_with("\\|") { row } else { row.strip_suffix('|').unwrap_or(row) }
}
