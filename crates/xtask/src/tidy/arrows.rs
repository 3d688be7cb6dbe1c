//! Arrows between crates point down.
//!
//! A crate that starts to know a neighbour it should not know is the way in which a clean house
//! becomes a knot, and cargo would not mind. So each arrow has to be in one of the two tables here;
//! a new one is a change of the architecture and is reviewed as such (ARCHITECTURE.md).

use super::{Check, Problem, Verdict};
use crate::project::{Dependency, Member, Project};

pub(super) const CHECK: Check = Check {
    name: "arrows",
    rule: "a crate depends only on the crates below it that the table of arrows names",
    run,
};

/// A crate of the house.
struct Room {
    /// Its folder under `crates/`.
    word: &'static str,
    floor: u8,
    /// The crates its library may depend on.
    uses: &'static [&'static str],
    /// The crates that its tests may use besides: from lower floors or its own one, never from above.
    tests_use: &'static [&'static str],
}

const fn room(
    word: &'static str,
    floor: u8,
    uses: &'static [&'static str],
    tests_use: &'static [&'static str],
) -> Room {
    Room {
        word,
        floor,
        uses,
        tests_use,
    }
}

/// The house, floor by floor. Rooms that are not built yet keep their place.
const HOUSE: [Room; 16] = [
    room("ioloop", 0, &[], &[]),
    // Streamed bodies are futures; the loop drives them in tests.
    room("http", 0, &[], &["ioloop"]),
    room("json", 0, &[], &[]),
    // Rows of data for tests; no library of the house knows it.
    room("corpus", 0, &[], &[]),
    room("net", 1, &["ioloop"], &[]),
    room("hub", 1, &["ioloop"], &[]),
    // The driver is tested against a real upgrade.
    room(
        "websocket",
        2,
        &["http", "net", "ioloop"],
        &["server", "client", "corpus"],
    ),
    // Server and client are each other's best test.
    room(
        "server",
        2,
        &["http", "net", "ioloop"],
        &["client", "corpus"],
    ),
    room(
        "client",
        2,
        &["http", "net", "ioloop"],
        &["server", "corpus"],
    ),
    // An application is asked over a socket or a duplex.
    room(
        "web",
        3,
        &["server", "websocket", "hub", "http", "json", "ioloop"],
        &["client", "net"],
    ),
    room(
        "observatory",
        4,
        &["web", "hub", "server", "net", "ioloop"],
        &["client", "http"],
    ),
    room(
        "squall",
        5,
        &[
            "ioloop",
            "http",
            "net",
            "hub",
            "websocket",
            "server",
            "client",
            "web",
            "observatory",
        ],
        &[],
    ),
    room("examples", 6, &["squall"], &[]),
    // The tour runs the examples and shows their source.
    room("tour", 6, &["squall", "examples"], &[]),
    // The loop's own benchmark leaves the rest of the house out of the measurement.
    room("bench", 6, &["squall", "ioloop"], &[]),
    room("xtask", 6, &["squall", "corpus"], &[]),
];

fn run(project: &Project) -> Verdict {
    let mut problems = Vec::new();
    let mut arrows = 0;
    for member in &project.crates {
        let Some(room) = room_of(member.word()) else {
            problems.push(unknown(member));
            continue;
        };
        for dependency in &member.dependencies {
            let Some(target) = word_of(&dependency.package) else {
                continue;
            };
            arrows += 1;
            if !allowed(room, target, dependency.dev) {
                problems.push(stray(member, room, target, dependency));
            }
        }
    }
    let seen = format!("{} crates, {arrows} arrows", project.crates.len());
    Verdict::new(seen, problems)
}

fn allowed(room: &Room, target: &str, dev: bool) -> bool {
    room.uses.contains(&target) || dev && room.tests_use.contains(&target)
}

fn room_of(word: &str) -> Option<&'static Room> {
    HOUSE.iter().find(|room| room.word == word)
}

/// The folder of the crate of ours that a package is, or `None` for everybody else's.
fn word_of(package: &str) -> Option<&str> {
    match package {
        "squall" => Some(package),
        _ => package.strip_prefix("squall-"),
    }
}

fn unknown(member: &Member) -> Problem {
    Problem::new(
        &member.folder,
        "every crate to have its place in the house",
        format!("`{}` is not in the table", member.word()),
        "add it to HOUSE in crates/xtask/src/tidy/arrows.rs and to ARCHITECTURE.md",
    )
}

fn stray(member: &Member, room: &Room, target: &str, dependency: &Dependency) -> Problem {
    let (kind, whose) = if dependency.dev {
        ("dev-dependency", [room.uses, room.tests_use].concat())
    } else {
        ("dependency", room.uses.to_vec())
    };
    Problem::new(
        format!("{}/Cargo.toml", member.folder),
        format!(
            "on floor {}, as {kind} of ours only: {}",
            room.floor,
            names(&whose)
        ),
        format!("`{}` on floor {}", dependency.package, floor(target)),
        format!(
            "do without `{target}` here: move the code down, or take it as an argument; if the \
             arrow is right, argue for it in ARCHITECTURE.md and add it to \
             crates/xtask/src/tidy/arrows.rs"
        ),
    )
}

fn floor(word: &str) -> String {
    room_of(word).map_or_else(|| "unknown".to_owned(), |room| room.floor.to_string())
}

fn names(words: &[&str]) -> String {
    if words.is_empty() {
        "none".to_owned()
    } else {
        words.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(word: &str, dependencies: &[(&str, bool)]) -> Member {
        let dependency = |(package, dev): &(&str, bool)| Dependency {
            package: (*package).to_owned(),
            dev: *dev,
        };
        Member {
            folder: format!("crates/{word}"),
            dependencies: dependencies.iter().map(dependency).collect(),
            ..Member::default()
        }
    }

    fn problems(word: &str, dependencies: &[(&str, bool)]) -> Vec<Problem> {
        run(&Project::of_crates(vec![member(word, dependencies)])).problems
    }

    #[test]
    fn arrows_of_the_table_pass() {
        assert!(problems("net", &[("squall-ioloop", false), ("tokio", false)]).is_empty());
        assert!(problems("tour", &[("squall", false), ("squall-examples", false)]).is_empty());
    }

    #[test]
    fn an_arrow_up_fails() {
        let found = problems("net", &[("squall-server", false)]);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "crates/net/Cargo.toml");
        assert_eq!(
            found[0].expected,
            "on floor 1, as dependency of ours only: ioloop"
        );
        assert_eq!(problems("ioloop", &[("squall", true)]).len(), 1);
    }

    #[test]
    fn a_test_arrow_is_no_library_arrow() {
        assert!(problems("client", &[("squall-server", true)]).is_empty());
        assert_eq!(problems("client", &[("squall-server", false)]).len(), 1);
    }

    #[test]
    fn a_crate_without_a_place_fails() {
        assert_eq!(problems("shed", &[])[0].found, "`shed` is not in the table");
    }

    #[test]
    fn the_table_itself_points_down() {
        for room in &HOUSE {
            for target in room.uses {
                let below = room_of(target).unwrap().floor < room.floor;
                assert!(
                    below || (room.word, *target) == ("tour", "examples"),
                    "{} -> {target}",
                    room.word
                );
            }
            for target in room.tests_use {
                let floor = room_of(target).unwrap().floor;
                assert!(floor <= room.floor, "tests of {} -> {target}", room.word);
            }
        }
    }
}
