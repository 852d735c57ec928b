//! `capture explain`: the story of one order, from the journal alone.

use std::path::Path;
use std::time::SystemTime;

use capture_core::{Environment, OrderId, one_line};
use capture_journal::{Bundle, Chain, Lost, Story, environment_name};

use crate::args::Explain;
use crate::config::{self, BadInput};
use crate::exit::Exit;
use crate::file::{self, Readers};
use crate::journal;
use crate::output;
use crate::place::{self, Place};
use crate::store::Store;

/// Reads the journal; it asks nobody else.
pub(crate) fn run(args: &Explain) -> Result<Exit, BadInput> {
    let order: OrderId = args.order_id.parse()?;
    let named: Option<Environment> = args.environment.as_deref().map(str::parse).transpose()?;
    let set = config::environment(None).ok();
    let place = place::find(args.kept.journal.as_deref())?;
    let found = find(&place, order, named.as_ref(), set.as_ref())?;
    let Some((environment, stories, chain)) = found else {
        let sentence = format!("journal {place} has nothing of order {order}");
        output::error(args.kept.json, &sentence, Some("order id"));
        return Ok(Exit::No);
    };
    if let Some(path) = &args.bundle {
        write_bundle(path, &environment, &stories)?;
    }
    let Some(explained) = capture_journal::explain(&environment, &stories, chain) else {
        return Ok(Exit::No);
    };
    if args.kept.json {
        output::json(&explained);
    } else {
        explained.to_string().lines().for_each(output::line);
    }
    Ok(Exit::Yes)
}

type Found = (String, Vec<Story>, Option<Chain>);

/// The stories of the order, in the environment that is named, or in the only one that has it; of several,
/// in the one that the variable names.
fn find(
    place: &Place,
    order: OrderId,
    named: Option<&Environment>,
    set: Option<&Environment>,
) -> Result<Option<Found>, BadInput> {
    // Nothing is made only to be read.
    if !place.is_there() {
        return Ok(None);
    }
    let mut first = journal::read(place, named.unwrap_or(&Place::ANY))?;
    let chain = chain(&mut first).map_err(|error| failed(place, &error))?;
    let environments = match named {
        Some(environment) => vec![environment_name(environment)],
        None => first.environments().map_err(|error| failed(place, &error))?,
    };
    drop(first);
    let mut found = Vec::new();
    for name in environments {
        let mut opened = journal::read(place, &name.parse()?)?;
        let stories = journal::stories(&mut opened, order)?;
        if !stories.is_empty() {
            found.push((name, stories));
        }
    }
    if let [(one, _), (other, _), ..] = &found[..] {
        let set = set.map(environment_name);
        if !found.iter().any(|(name, _)| Some(name) == set.as_ref()) {
            let sentence = format!(
                "the journal has order {order} at {one} and at {other}; name one by --environment"
            );
            return Err(BadInput::new("environment", sentence));
        }
        found.retain(|(name, _)| Some(name) == set.as_ref());
    }
    Ok(found.pop().map(|(name, stories)| (name, stories, chain)))
}

/// Whether the records are as they were written. A database has a chain for each opening: those that are broken are
/// told.
fn chain(journal: &mut Store) -> Result<Option<Chain>, Lost> {
    match journal {
        Store::File(file) => Ok(Some(file.verify(None)?.chain())),
        Store::Database(database) => {
            for (fence, number) in database.verify(&[])?.broken_at {
                output::note(&format!(
                    "warning: chain {} is broken at record {number}: it was edited, removed or inserted",
                    fence.0
                ));
            }
            Ok(None)
        }
    }
}

fn write_bundle(path: &Path, environment: &str, stories: &[Story]) -> Result<(), BadInput> {
    let refuse = |error: &dyn std::fmt::Display| {
        BadInput::new("bundle", format!("bundle {}: cannot be written: {error}", path.display()))
    };
    let bundle = Bundle::new(environment, stories, SystemTime::now());
    let mut json = serde_json::to_vec_pretty(&bundle).map_err(|error| refuse(&error))?;
    json.push(b'\n');
    file::write(path, &json, Readers::Owner).map_err(|error| refuse(&error))?;
    output::note(&format!("bundle {}", path.display()));
    Ok(())
}

fn failed(place: &Place, error: &Lost) -> BadInput {
    BadInput::new("journal", format!("journal {place}: {}", one_line(error)))
}
