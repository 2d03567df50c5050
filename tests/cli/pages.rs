//! `pages`: the manual pages have what `--help` says, and shells take the completions.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::common::Dir;

/// A file of each kind, by where programs look for it.
const BASH: &str = "bash-completion/completions/arraylift";
const ZSH: &str = "zsh/site-functions/_arraylift";
const FISH: &str = "fish/vendor_completions.d/arraylift.fish";

#[test]
fn every_option_of_every_command_is_in_its_manual_page_and_completed_by_each_shell() {
    let share = pages();
    let [bash, zsh, fish] = [BASH, ZSH, FISH].map(|path| read(&share, path));
    let mut seen = 0;
    for words in commands(&[]) {
        let page = ["arraylift".to_owned()].into_iter().chain(words.iter().cloned());
        let page = read(&share, &format!("man/man1/{}.1", page.collect::<Vec<_>>().join("-")));
        // In a page a hyphen that can be searched for is escaped.
        let page = page.replace('\\', "");
        for option in options(&help(&words)) {
            seen += 1;
            let name = option.trim_start_matches('-');
            assert!(page.contains(&option), "{option} of {words:?} is in no page:\n{page}");
            assert!(bash.contains(&option), "bash: {option} of {words:?}");
            assert!(zsh.contains(&option), "zsh: {option} of {words:?}");
            assert!(fish.contains(&format!(" -l {name} ")), "fish: {option} of {words:?}");
        }
    }
    assert!(seen > 100, "only {seen} options");
}

#[test]
fn each_command_has_a_page_and_each_page_a_command() {
    let share = pages();
    let written: BTreeSet<String> = fs::read_dir(share.path().join("man/man1"))
        .expect("a folder of pages")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    let expected: BTreeSet<String> = commands(&[])
        .into_iter()
        .map(|words| format!("{}.1", [vec!["arraylift".to_owned()], words].concat().join("-")))
        .collect();
    assert_eq!(written, expected);
    assert!(expected.contains("arraylift-history-show.1"), "{expected:?}");
}

/// Warnings of `groff` are pages that somebody reads with holes.
#[test]
fn pages_are_typeset_without_a_warning_where_groff_is() {
    let share = pages();
    for page in fs::read_dir(share.path().join("man/man1")).expect("a folder of pages") {
        let page = page.expect("an entry").path();
        let mut groff = Command::new("groff");
        groff.args(["-man", "-Tutf8", "-ww", "-z"]).arg(&page);
        let Some(output) = run_if_there(&mut groff) else { return };
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{}: {output:?}",
            page.display()
        );
    }
}

#[test]
fn bash_completes_commands_options_and_values() {
    let share = pages();
    let program = r#"
        source "$1"
        complete -p arraylift >&2
        offer() {
            COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
            _arraylift arraylift "${@: -1}" "${@: -2:1}"
            echo "${COMPREPLY[*]}"
        }
        offer arraylift comp
        offer arraylift receive --on
        offer arraylift send --wire n
    "#;
    let path = share.path().join(BASH);
    let Some(output) = run_if_there(Command::new("bash").args(["-euc", program, "bash"]).arg(&path)) else {
        return;
    };
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, "compare\n--once\nnative npy\n");
}

#[test]
fn zsh_takes_the_completions_where_it_is() {
    let share = pages();
    let path = share.path().join(ZSH);
    let program =
        "fpath=(${1:h} $fpath); autoload -Uz compinit; compinit -u -D; [[ $_comps[arraylift] == _arraylift ]]";
    for arguments in [&["-n"][..], &["-fc", program, "zsh"]] {
        let Some(output) = run_if_there(Command::new("zsh").args(arguments).arg(&path)) else {
            return;
        };
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
}

#[test]
fn fish_completes_commands_options_and_values_where_it_is() {
    let share = pages();
    let program = r#"
        source $argv[1]
        complete -C "arraylift comp"
        complete -C "arraylift receive --on"
        complete -C "arraylift send --wire n"
    "#;
    let mut fish = Command::new("fish");
    fish.args(["--no-config", "-c", program]).arg(share.path().join(FISH));
    let Some(output) = run_if_there(fish.env("HOME", share.path())) else {
        return;
    };
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    let offered: Vec<&str> = said.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(offered, ["compare", "--once", "native", "npy"]);
}

#[test]
fn pages_of_an_older_version_are_replaced_and_a_folder_that_is_none_is_named() {
    let share = pages();
    fs::write(share.path().join(BASH), "an older version").expect("written");
    let again = arraylift(&["pages", &share.path().to_string_lossy()]);
    assert!(again.status.success(), "{again:?}");
    assert!(read(&share, BASH).contains("--once"));

    let file = share.path().join(BASH);
    let refused = arraylift(&["pages", &file.to_string_lossy()]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains(&*file.to_string_lossy()), "{said}");
}

/// A folder with everything that `pages` writes.
fn pages() -> Dir {
    let share = Dir::new();
    let written = arraylift(&["pages", &share.path().to_string_lossy()]);
    assert!(written.status.success(), "{written:?}");
    let said = String::from_utf8(written.stdout).expect("UTF-8");
    assert!(said.lines().all(|path| Path::new(path).is_file()), "{said}");
    share
}

/// The words of each command, also those of two words and of none.
fn commands(words: &[String]) -> Vec<Vec<String>> {
    let help = help(words);
    let below = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let below = below.take_while(|line| !line.is_empty());
    let below = below.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    let below = below.filter(|name| !name.is_empty() && *name != "help");
    let below = below.flat_map(|name| commands(&[words, &[name.to_owned()]].concat()));
    [words.to_vec()].into_iter().chain(below).collect()
}

fn help(words: &[String]) -> String {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let output = arraylift(&[&words[..], &["--help"]].concat());
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The long options at the beginning of a line, as `--help` lists them.
fn options(help: &str) -> Vec<String> {
    let names = help.lines().filter_map(|line| {
        let line = line.trim_start();
        let long = line
            .strip_prefix("--")
            .or_else(|| line.split_once(", --").map(|(_, rest)| rest))?;
        line.starts_with('-')
            .then(|| long.split([' ', '=', '[']).next().unwrap_or_default())
    });
    names.map(|name| format!("--{name}")).collect()
}

fn arraylift(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_arraylift"))
        .args(arguments)
        .output()
        .expect("the binary runs")
}

/// What a program of the machine's says, if the machine has it.
fn run_if_there(command: &mut Command) -> Option<Output> {
    match command.output() {
        Ok(output) => Some(output),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!("left out: there is no {}", command.get_program().display());
            None
        }
        Err(error) => panic!("{command:?}: {error}"),
    }
}

fn read(share: &Dir, path: &str) -> String {
    fs::read_to_string(share.path().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
