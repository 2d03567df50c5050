//! Text as people read it: characters that do not show themselves, which strangers must not use on a terminal or in a
//! file's name, and capital letters.

/// Whether a character moves the cursor, turns the direction of the text around it, or takes no room: two names that
/// look alike could be different, and one could look like another. Unicode TR 36, 3.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            // The soft hyphen, the Arabic letter mark and the Mongolian vowel separator.
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            // Zero-width characters, and marks of direction.
            | '\u{200b}'..='\u{200f}'
            // Separators of lines, and embeddings and overrides of direction.
            | '\u{2028}'..='\u{202e}'
            // Joiners, invisible operators, and isolates of direction.
            | '\u{2060}'..='\u{206f}'
            // The byte order mark, annotations, and tags.
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// The same text with a visible sign in place of each hidden character.
pub(crate) fn shown(text: &str) -> String {
    text.replace(is_hidden, "\u{fffd}")
}

/// The same text with a capital letter at its beginning.
pub(crate) fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

/// The same text inside of an element or an attribute of HTML or XML, without what hides.
pub(crate) fn xml_escaped(text: &str) -> String {
    let text = shown(text).replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_hide_are_shown_and_others_stay() {
        for c in "\u{1b}\n\u{7f}\u{9b}\u{200b}\u{200e}\u{202e}\u{2066}\u{2069}\u{feff}\u{e0041}".chars() {
            assert_eq!(shown(&format!("a{c}b")), "a\u{fffd}b", "{c:?}");
        }
        for text in ["größe 1.npy", "数组.npy", "שלום", "a\u{301}", "🦀"] {
            assert_eq!(shown(text), text);
        }
    }
}
