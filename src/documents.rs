//! What is known of a transfer as a document for people elsewhere: a table of names and values, as Markdown or on a page of
//! HTML.

use std::fmt::Write as _;

use crate::language::Language;
use crate::text::{shown, xml_escaped};

/// A page about one transfer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    /// What it is about.
    pub title: &'a str,
    /// What held it back.
    pub sentence: Option<&'a str>,
    /// An `<svg>`, or nothing.
    pub picture: &'a str,
    /// What is known of it.
    pub facts: &'a [(&'static str, String)],
    /// The version of the program that it was done by.
    pub program_version: &'a str,
    /// The language of all of it.
    pub language: Language,
}

impl Page<'_> {
    /// HTML that loads nothing and runs nothing.
    pub(crate) fn html(&self) -> String {
        let (title, language) = (xml_escaped(self.title), self.language.tag());
        let mut page = format!(
            "<!DOCTYPE html>\n<html lang=\"{language}\">\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
             <h1>{title}</h1>\n"
        );
        // Writing to a string cannot fail, here and below.
        if let Some(sentence) = self.sentence {
            let _ = writeln!(page, "<p>{}</p>", xml_escaped(sentence));
        }
        page += self.picture;
        page += "<table>\n";
        for (name, value) in self.facts {
            let _ = writeln!(page, "<tr><th>{name}</th><td>{}</td></tr>", xml_escaped(value));
        }
        let version = xml_escaped(self.program_version);
        let _ = writeln!(page, "</table>\n<footer>Arraylift {version}</footer>\n</html>");
        page
    }
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:860px;margin:2em auto;padding:0 1em;color:#15191e;\
background:#fff}h1{font-size:1.4em;overflow-wrap:anywhere}th{text-align:left;font-weight:400;color:#545e69;\
padding-right:2em;vertical-align:top;white-space:nowrap}td{overflow-wrap:anywhere}svg{width:100%;height:auto}\
footer{margin-top:2em;color:#545e69}@media(prefers-color-scheme:dark){body{color:#edeff2;background:#15191e}\
th,footer{color:#a0a9b4}}";

/// Markdown: a heading, and a table of names and values.
pub(crate) fn markdown_table(heading: &str, facts: &[(&str, String)]) -> String {
    let cell = |text: &str| {
        let escaped = shown(text).replace('\\', "\\\\").replace('|', "\\|");
        escaped
            .replace('<', "&lt;")
            .replace('`', "\\`")
            .replace('*', "\\*")
            .replace('[', "\\[")
    };
    let mut text = format!("### {}\n\n| | |\n|---|---|\n", cell(heading));
    for (name, value) in facts {
        let _ = writeln!(text, "| {name} | {} |", cell(value));
    }
    text
}
