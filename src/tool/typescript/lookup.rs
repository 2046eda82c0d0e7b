//! What a model is told where all declarations would be too long, and how a program asks for the rest: `tools.search` and
//! `tools.describe`. Pure functions over the tools an agent may use; the same question has the same answer.

use serde::Serialize;

use super::{ToolSpec, by_namespace, declarations, tokens};
use crate::agent::nearest;

/// The most functions that a search finds.
const MOST_FOUND: usize = 20;
/// The longest summary, characters.
const SUMMARY: usize = 160;

/// How a model asks for what did not fit in.
const ON_DEMAND: &str = "\
declare namespace tools {
/** Finds functions by words, the best first. */
function search(query: string): Promise<{ name: string; summary: string }[]>;
/** The declaration of a function, or of all in a namespace. Read it before you call one for the first time. */
function describe(name: string): Promise<string>;
}
";

/// A function that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// Its name.
    pub name: String,
    /// What it does, in a sentence.
    pub summary: String,
}

/// What a model is told of these tools: their declarations if they are at most this many tokens (see [`tokens`]), else their
/// names, else how many each namespace has; and how to ask for the rest.
#[must_use]
pub fn prompt(specs: &[&ToolSpec], asks: impl Fn(&ToolSpec) -> bool, budget_tokens: usize) -> String {
    let whole = declarations(specs, asks);
    if tokens(&whole) <= budget_tokens {
        return whole;
    }
    let namespaces = by_namespace(specs);
    let page = |line: &dyn Fn(&str, &[&str]) -> String| {
        let mut page = format!(
            "{ON_DEMAND}// There are {} functions, too many to declare here. Each takes one object and gives a promise.\n",
            specs.len()
        );
        for (namespace, specs) in &namespaces {
            page.push_str(&line(namespace, &specs.keys().copied().collect::<Vec<_>>()));
        }
        page
    };
    let prefix = |namespace: &str| if namespace.is_empty() { "alone".to_owned() } else { format!("{namespace}.*") };
    let names = page(&|namespace, names| format!("// {}: {}\n", prefix(namespace), names.join(", ")));
    if tokens(&names) <= budget_tokens {
        return names;
    }
    page(&|namespace, names| format!("// {}: {} functions\n", prefix(namespace), names.len()))
}

/// Words that say nothing of what is looked for.
const EMPTY: [&str; 18] = [
    "a", "an", "and", "are", "do", "for", "how", "i", "in", "is", "it", "of", "on", "the", "to", "what", "which",
    "with",
];

/// The functions in whose name or description words of the query stand, the best first; all of them, in order of their names,
/// where it has none. At most twenty.
#[must_use]
pub fn search(specs: &[&ToolSpec], query: &str) -> Vec<Hit> {
    let mut wanted = words(query);
    wanted.retain(|word| !EMPTY.contains(&word.as_str()));
    let known: Vec<Known> = specs.iter().map(|spec| Known::new(spec)).collect();
    let mut scores = vec![0_usize; specs.len()];
    for word in &wanted {
        let each: Vec<usize> = known.iter().map(|known| known.answers_to(word)).collect();
        // What many answer to tells little.
        let rarity = (specs.len() / each.iter().filter(|score| **score > 0).count().max(1)).clamp(1, 10);
        scores.iter_mut().zip(each).for_each(|(score, one)| *score += one * rarity);
    }
    let scored = scores.into_iter().zip(specs.iter().copied());
    let mut found: Vec<(usize, &ToolSpec)> = scored.filter(|(score, _)| wanted.is_empty() || *score > 0).collect();
    found.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.name.cmp(other.1.name)));
    found.dedup_by_key(|(_, spec)| spec.name);
    let hit = |(_, spec): (usize, &ToolSpec)| Hit { name: spec.name.to_owned(), summary: summary(spec.description) };
    found.into_iter().take(MOST_FOUND).map(hit).collect()
}

/// The declaration of a function by its name, or of all in a namespace.
///
/// # Errors
/// A sentence that names what is nearest, or how to find something.
pub fn describe(specs: &[&ToolSpec], asks: impl Fn(&ToolSpec) -> bool, name: &str) -> Result<String, String> {
    let name = name.trim().trim_end_matches("()").trim_end_matches(".*");
    let is_meant = |spec: &&&ToolSpec| {
        spec.name == name || spec.name.rsplit_once('.').is_some_and(|(namespace, _)| namespace == name)
    };
    let meant: Vec<&ToolSpec> = specs.iter().filter(is_meant).copied().collect();
    if !meant.is_empty() {
        return Ok(declarations(&meant, asks));
    }
    let shown: String = name.chars().filter(|character| !character.is_control()).take(64).collect();
    let near = nearest(name, specs.iter().map(|spec| spec.name)).map(str::to_owned);
    let near = near.or_else(|| search(specs, name).into_iter().next().map(|hit| hit.name));
    Err(match near {
        Some(near) => format!("There is no function `{shown}`. Did you mean `{near}`?"),
        None => format!("There is no function `{shown}`. `tools.search` finds functions by words."),
    })
}

/// Words in small letters; names fall apart at full stops, underscores and capitals.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut was_small = false;
    for character in text.chars() {
        if (!character.is_alphanumeric() || (character.is_uppercase() && was_small)) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        was_small = character.is_lowercase();
        if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// The words of a tool.
struct Known {
    name: Vec<String>,
    description: Vec<String>,
}

impl Known {
    fn new(spec: &ToolSpec) -> Self {
        Self { name: words(spec.name), description: words(spec.description) }
    }

    /// How well it answers to a word: those of its name count most, and beginnings of words count less.
    fn answers_to(&self, word: &str) -> usize {
        let begins =
            |one: &String| word.len() > 2 && one.len() > 2 && (one.starts_with(word) || word.starts_with(one.as_str()));
        let best = |have: &[String], whole: usize, part: usize| match have.iter().any(|one| one == word) {
            true => whole,
            false if have.iter().any(begins) => part,
            false => 0,
        };
        best(&self.name, 8, 5) + best(&self.description, 3, 2)
    }
}

/// The first sentence.
fn summary(description: &str) -> String {
    let first = description.split_once(". ").map_or(description, |(first, _)| first);
    let first = first.trim_end_matches('.');
    let mut summary: String = first.chars().take(SUMMARY).collect();
    if summary.len() < first.len() {
        summary.push('…');
    }
    summary
}
