//! `arraylift pages FOLDER`: manual pages and completions, made of the definition of the command line.

use std::fs;
use std::io;
use std::path::PathBuf;

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::arguments::{Arguments, PagesArguments};
use super::{Failure, output, printable};
use crate::{Error, own_file};

const NAME: &str = "arraylift";

/// Where each shell looks, below a folder such as `/usr/share`.
const COMPLETIONS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions/arraylift"),
    (Shell::Zsh, "zsh/site-functions/_arraylift"),
    (Shell::Fish, "fish/vendor_completions.d/arraylift.fish"),
];

pub(crate) fn run(typed: &PagesArguments) -> Result<(), Failure> {
    let files = files().map_err(|error| Error::system("cannot make the pages", &error))?;
    for (path, bytes) in files {
        let path = typed.folder.join(path);
        let folder = path.parent().unwrap_or(&typed.folder);
        fs::create_dir_all(folder)
            .and_then(|()| own_file::replace(&path, 0o644, &bytes))
            .map_err(|error| Error::SinkUnwritable {
                path: path.clone(),
                reason: crate::error::reason(&error),
            })?;
        output::text(format!("{}\n", printable(&path.display().to_string())));
    }
    Ok(())
}

/// Every file, with its path below the folder.
fn files() -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut files = Vec::new();
    // `arraylift help send` is `arraylift send --help`: neither needs a page.
    let mut command = with_values_in_words(Arguments::command().disable_help_subcommand(true));
    command.build();
    add_manual(&command, &mut files)?;
    for (shell, path) in COMPLETIONS {
        let mut bytes = Vec::new();
        generate(shell, &mut Arguments::command(), NAME, &mut bytes);
        files.push((path.into(), bytes));
    }
    Ok(files)
}

/// Says what an option can be in its sentence: a page would have a list of a line each.
fn with_values_in_words(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|argument| {
        let values = argument.get_possible_values();
        let names: Vec<&str> = values.iter().map(clap::builder::PossibleValue::get_name).collect();
        if names.is_empty() || !argument.get_action().takes_values() {
            return argument;
        }
        let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
        argument
            .help(format!("{help}: {}", names.join(", ")))
            .hide_possible_values(true)
    });
    command.mut_subcommands(with_values_in_words)
}

/// Adds the page of a command, and those of the commands below it.
fn add_manual(command: &clap::Command, files: &mut Vec<(PathBuf, Vec<u8>)>) -> io::Result<()> {
    let man = Man::new(command.clone())
        .source(concat!("arraylift ", env!("CARGO_PKG_VERSION")))
        .manual("Arraylift");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut rest = Roff::new();
    if let Some(text) = command.get_after_help() {
        add_after_help(&text.to_string(), &mut rest);
    }
    if command.get_name() != NAME {
        rest.control("SH", ["SEE ALSO"]);
        rest.text([bold(NAME), roman("(1)")]);
    }
    rest.to_writer(&mut page)?;
    files.push((format!("man/man1/{}", man.get_filename()).into(), page));
    command
        .get_subcommands()
        .try_for_each(|command| add_manual(command, files))
}

/// What `--help` says below the options: examples, whose lines stay as they are, and paragraphs.
fn add_after_help(text: &str, roff: &mut Roff) {
    let paragraphs = match text.strip_prefix("Examples:\n") {
        Some(rest) => {
            let (examples, paragraphs) = rest.split_once("\n\n").unwrap_or((rest, ""));
            roff.control("SH", ["EXAMPLES"]);
            roff.control("nf", []);
            for line in examples.lines() {
                roff.text([roman(line)]);
            }
            roff.control("fi", []);
            paragraphs
        }
        None => text,
    };
    if !paragraphs.is_empty() {
        roff.control("SH", ["NOTES"]);
    }
    for paragraph in paragraphs.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
        roff.control("PP", []);
        for line in paragraph.lines() {
            roff.text([roman(line)]);
        }
    }
}
