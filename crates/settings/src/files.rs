//! Settings whose values stand in files, as orchestrators hand over secrets.

use std::env;
use std::ffi::OsString;
use std::fs;

use clap::Command;
use clap::error::ErrorKind;

/// The arguments of this process, and one more for each setting of the chosen command that is not given, but whose name
/// with `_FILE` after it names a file: its value is what the file holds, for example `DATABASE_URL_FILE`. So a secret stands
/// neither in the environment nor in the list of processes. A file that cannot be read ends the process.
pub fn arguments(command: &Command) -> Vec<OsString> {
    match with_files(command, env::args_os().collect(), |name| env::var_os(name)) {
        Ok(arguments) => arguments,
        Err(fault) => command.clone().error(ErrorKind::Io, fault).exit(),
    }
}

fn with_files(
    command: &Command,
    mut arguments: Vec<OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<OsString>, String> {
    let mut chosen = command;
    for word in arguments.iter().skip(1) {
        if let Some(below) = word.to_str().and_then(|word| chosen.find_subcommand(word)) {
            chosen = below;
        }
    }
    for argument in chosen.get_arguments() {
        let (Some(name), Some(long)) =
            (argument.get_env().and_then(|name| name.to_str()), argument.get_long())
        else {
            continue;
        };
        let file_name = format!("{name}_FILE");
        let Some(file) = variable(&file_name).filter(|_| variable(name).is_none()) else {
            continue;
        };
        let value =
            fs::read_to_string(&file).map_err(|error| format!("{file_name}={}: {error}", file.display()))?;
        arguments.push(format!("--{long}={}", value.trim_end()).into());
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, Command};

    use super::*;
    use crate::Database;

    fn read(given: &[(&str, &str)]) -> Result<Vec<OsString>, String> {
        let command = Command::new("crm").subcommand(Database::augment_args(Command::new("run")));
        let variable = |name: &str| {
            given.iter().find(|(other, _)| *other == name).map(|(_, value)| OsString::from(value))
        };
        with_files(&command, vec!["crm".into(), "run".into()], variable)
    }

    #[test]
    fn what_stands_in_a_file_is_a_setting() {
        let file = env::temp_dir().join(format!("bhiv-settings-{}", std::process::id()));
        fs::write(&file, "postgres://crm@db/bhiv\n").unwrap();
        let path = file.to_str().unwrap();
        let from_file = read(&[("DATABASE_URL_FILE", path)]);
        let both = read(&[("DATABASE_URL_FILE", path), ("DATABASE_URL", "postgres://other")]);
        fs::remove_file(&file).unwrap();
        assert_eq!(from_file.unwrap(), ["crm", "run", "--database-url=postgres://crm@db/bhiv"]);
        // What is given by itself counts.
        assert_eq!(both.unwrap(), ["crm", "run"]);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let fault = read(&[("DATABASE_URL_FILE", "/no/such/file")]).unwrap_err();
        assert!(fault.starts_with("DATABASE_URL_FILE=/no/such/file: "), "{fault}");
    }

    #[test]
    fn a_setting_that_is_a_file_itself_is_none_of_these() {
        assert_eq!(read(&[("AUTH_JWKS_FILE", "/no/such/file")]).unwrap(), ["crm", "run"]);
    }
}
