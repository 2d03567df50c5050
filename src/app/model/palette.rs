//! The command palette: what is typed, and which of the commands that have it is picked.

/// An open palette.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Palette {
    /// Words that a command has to have.
    pub typed: String,
    /// Which of those that have them is picked, from the top.
    pub at: usize,
}

impl Palette {
    /// Which of the names have all words that are typed: first those that begin with what is typed, each part in the
    /// order that it was given.
    #[must_use]
    pub(crate) fn matching(&self, names: &[String]) -> Vec<usize> {
        let typed = self.typed.trim().to_lowercase();
        let lower: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
        let has_all = |name: &String| typed.split_whitespace().all(|word| name.contains(word));
        let numbered = || lower.iter().enumerate().filter(|(_, name)| has_all(name));
        let begins = numbered().filter(|(_, name)| name.starts_with(&typed));
        let others = numbered().filter(|(_, name)| !name.starts_with(&typed));
        begins.chain(others).map(|(at, _)| at).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_with_what_is_typed_comes_first_and_all_words_are_needed() {
        let names = ["Show settings", "Theme: dark", "Theme: light", "Remove finished"].map(str::to_owned);
        let found = |typed: &str| {
            let palette = Palette {
                typed: typed.to_owned(),
                at: 0,
            };
            palette.matching(&names)
        };
        assert_eq!(found(""), [0, 1, 2, 3]);
        assert_eq!(found("the"), [1, 2]);
        assert_eq!(found("LIGHT theme"), [2]);
        assert_eq!(found("s"), [0, 3]);
        assert!(found("dark light").is_empty());
    }
}
