//! What a command line needs of the system, for the kernel to refuse everything else.

use std::path::Path;

use super::{Cli, Command, Context, Surroundings};
use files::sandbox::table::{Place, Row};
use files::sandbox::{self, Confined, Folders, Git, Needs};
use files::{git, load};
use findings::Format;
use tree::Sources;

/// Has the kernel hold this process to what the command needs. For `main` alone, before anything else: neither has anything of the
/// project been read, nor is there another thread.
pub fn confine(cli: &Cli, surroundings: &Surroundings<'_>) -> Confined {
    let context = Context { options: &cli.options, surroundings };
    let needs = needs(cli, &context);
    sandbox::enter(&needs, &|| needs.project.as_deref().map(folders).unwrap_or_default())
}

fn needs<'a>(cli: &Cli, context: &Context<'a>) -> Needs<'a> {
    let row = Row::of(cli.command.name());
    let project = match &cli.command {
        Command::Explain(command) => Some(command.root(context)),
        Command::Completions(_) => None,
        // Only what codes mean is looked up in a project.
        Command::Init(_) | Command::Schema(_) => (cli.options.format == Format::Sarif).then(|| context.root()),
        _ => Some(context.root()),
    };
    let asks_git = match &cli.command {
        Command::Check(command) => command.asks_git(),
        Command::Graph(command) => command.asks_git(),
        Command::Diff(_) => true,
        _ => false,
    };
    let program = project.as_deref().filter(|_| asks_git).and_then(|project| git::executable(project).ok());
    let git = program.map(|program| Git { program: program.path, index: git::index() });
    let writes = match &cli.command {
        Command::Fmt(command) => command.writes(),
        Command::Import(command) => command.writes(),
        _ => !row.writes.is_empty(),
    };
    let (file, folder, below) = match &cli.command {
        Command::Import(command) => (Some(command.file()), None, Vec::new()),
        Command::Schema(command) => (None, command.folder(), Vec::new()),
        Command::Init(command) => (None, Some(command.folder(context.options)), command.folders(context.options)),
        _ => (None, None, Vec::new()),
    };
    let (file, folder) = (file.map(Path::to_owned), folder.map(Path::to_owned));
    let makes = matches!(cli.command, Command::Render(_) | Command::Import(_));
    Needs { row, project, file, folder, below, writes, makes, netloom: &context.surroundings.executable, git }
}

/// Where a project has its folders; nowhere, as long as anything is wrong with them.
fn folders(root: &Path) -> Folders {
    let Some((_, project)) = load::writable(root, &mut Sources::default(), &mut Vec::new()) else { return Folders::new() };
    let paths = project.value.spec.paths;
    let folders = [paths.declarations, paths.overlays, paths.policies, paths.output];
    [Place::Declarations, Place::Overlays, Place::Policies, Place::Output].into_iter().zip(folders).collect()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use files::sandbox::table::TABLE;

    #[test]
    fn every_command_has_its_row() {
        let commands: Vec<_> = Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
        let rows: Vec<_> = TABLE.iter().map(|row| row.command).collect();
        assert_eq!(rows, commands);
    }
}
