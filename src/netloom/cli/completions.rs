//! `netloom completions`: the completion script of a shell.

use clap::{Args, ValueEnum};

use super::Outcome;

/// Prints a completion script.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  netloom completions bash > ~/.local/share/bash-completion/completions/netloom
  netloom completions zsh > ~/.zfunc/_netloom
  netloom completions fish > ~/.config/fish/completions/netloom.fish")]
pub struct Completions {
    /// The shell
    shell: Shell,
}

/// Shells that netloom has completions for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

pub(super) fn run(command: &Completions, mut cli: clap::Command) -> Outcome {
    let shell = match command.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut cli, "netloom", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let data = [("script".to_owned(), script.clone().into())].into_iter().collect();
    Outcome { product: script, data, ..Outcome::default() }
}
