//! What can be typed to write manual pages and completions.

use std::path::PathBuf;

use clap::Args;

const PAGES_EXAMPLES: &str = "\
Examples:
  arraylift pages ~/.local/share
      for this user: man, bash and fish look there
  arraylift pages /usr/local/share
      for all users of this machine

Written are man/man1/arraylift*.1, bash-completion/completions/arraylift, zsh/site-functions/_arraylift and \
fish/vendor_completions.d/arraylift.fish, in place of those of an older version. zsh reads the folders of its fpath: \
add that one to it before compinit.";

#[derive(Debug, Args)]
#[command(after_help = PAGES_EXAMPLES)]
pub(crate) struct PagesArguments {
    /// The folder for what programs share, such as ~/.local/share; it is made where it is missing
    pub folder: PathBuf,
}
