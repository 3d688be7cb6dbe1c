use super::*;
use crate::router::MAX_PARAMETERS;

/// A tree whose values are the patterns themselves.
fn tree<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Tree<String> {
    let mut tree: Tree<String> = Tree::new();
    for text in patterns {
        let pattern = Pattern::parse(text).expect("a good pattern");
        tree.entry(&pattern).push_str(text);
    }
    tree
}

fn find<'t>(tree: &'t Tree<String>, path: &str) -> (&'t str, Vec<String>) {
    match tree.find(path.as_bytes()) {
        None => ("", Vec::new()),
        Some((value, spans)) => {
            let values = (0..).map_while(|index| spans.slice(path, index));
            (value, values.map(str::to_owned).collect())
        }
    }
}

#[test]
fn the_route_of_a_path() {
    let tree = tree([
        "/",
        "/hello",
        "/hello/",
        "/hello/{name}",
        "/hello/{name}/again",
        "/users/new",
        "/users/{id}",
        "/users/{id}/edit",
        "/files/{*path}",
        "/files/index",
        "/a/b/c",
        "/a/{x}/d",
        "/{one}/{two}/e",
        "/caf\u{e9}",
        "/with space",
    ]);
    for (path, route, values) in [
        ("/", "/", &[][..]),
        ("/hello", "/hello", &[]),
        ("/hello/", "/hello/", &[]),
        ("/hello/you", "/hello/{name}", &["you"]),
        ("/hello/you/again", "/hello/{name}/again", &["you"]),
        ("/hello/you/", "", &[]),
        ("/hello//again", "", &[]),
        ("/hell", "", &[]),
        ("/helloo", "", &[]),
        ("/Hello", "", &[]),
        // Text beats a parameter, but a dead end goes back to the parameter.
        ("/users/new", "/users/new", &[]),
        ("/users/newer", "/users/{id}", &["newer"]),
        ("/users/new/edit", "/users/{id}/edit", &["new"]),
        ("/a/b/c", "/a/b/c", &[]),
        ("/a/b/d", "/a/{x}/d", &["b"]),
        ("/a/b/e", "/{one}/{two}/e", &["a", "b"]),
        ("/a/b/f", "", &[]),
        // A tail takes the rest, also none; without its slash it is another path.
        ("/files/a", "/files/{*path}", &["a"]),
        ("/files/a/b//c/", "/files/{*path}", &["a/b//c/"]),
        ("/files/", "/files/{*path}", &[""]),
        ("/files/index", "/files/index", &[]),
        ("/files/index/x", "/files/{*path}", &["index/x"]),
        ("/files", "", &[]),
        // Segments are compared decoded, values stay encoded, an encoded slash separates nothing.
        ("/%68ello", "/hello", &[]),
        ("/caf%C3%A9", "/caf\u{e9}", &[]),
        ("/caf%c3%a9", "/caf\u{e9}", &[]),
        ("/with%20space", "/with space", &[]),
        ("/hello/a%2Fb", "/hello/{name}", &["a%2Fb"]),
        ("/hello%2Fyou", "", &[]),
        ("/hello/%ff", "/hello/{name}", &["%ff"]),
        ("/%ff", "", &[]),
        ("/hello/%", "/hello/{name}", &["%"]),
        // Dots are not resolved here.
        ("/hello/..", "/hello/{name}", &[".."]),
        // What is no path at all.
        ("", "", &[]),
        ("*", "", &[]),
        ("hello", "", &[]),
        ("//", "", &[]),
    ] {
        let (found, spans) = find(&tree, path);
        assert_eq!(found, route, "{path}");
        assert_eq!(spans, values, "{path}");
        if let Some(node) = tree.find_whole(path.as_bytes()) {
            assert_eq!(tree.value(node).map(String::as_str), Some(route), "{path}");
            assert!(values.is_empty(), "{path}");
        }
    }
}

#[test]
fn a_tail_at_the_root_takes_everything_else() {
    let tree = tree(["/{*rest}", "/api/{name}", "/api/{name}/x"]);
    for (path, route) in [
        ("/", "/{*rest}"),
        ("/a", "/{*rest}"),
        ("/api", "/{*rest}"),
        ("/api/", "/{*rest}"),
        ("/api/a", "/api/{name}"),
        ("/api/a/y", "/{*rest}"),
    ] {
        let (found, spans) = find(&tree, path);
        assert_eq!(found, route, "{path}");
        if route == "/{*rest}" {
            assert_eq!(spans, [&path[1..]], "{path}");
        }
    }
}

#[test]
fn patterns_of_one_shape_share_a_value() {
    let tree = tree(["/a/{x}", "/a/{y}", "/b/{*x}", "/b/{*y}"]);
    assert_eq!(find(&tree, "/a/1").0, "/a/{x}/a/{y}");
    assert_eq!(find(&tree, "/b/1").0, "/b/{*x}/b/{*y}");
}

#[test]
fn sixteen_parameters_are_all_found() {
    let text: String = (0..MAX_PARAMETERS).map(|n| format!("/{{p{n}}}")).collect();
    let path: String = (0..MAX_PARAMETERS).map(|n| format!("/v{n}")).collect();
    let tree = tree([text.as_str()]);
    let (found, values) = find(&tree, &path);
    assert_eq!(found, text);
    assert_eq!(values.len(), MAX_PARAMETERS);
    assert_eq!(values[15], "v15");
    assert_eq!(find(&tree, &format!("{path}/more")).0, "");
}

#[test]
fn a_longer_path_than_a_uri_can_hold_finds_nothing() {
    let tree = tree(["/{*rest}"]);
    let fits = format!("/{}", "x".repeat(usize::from(u16::MAX) - 1));
    assert_eq!(find(&tree, &fits).0, "/{*rest}");
    assert_eq!(find(&tree, &format!("{fits}x")).0, "");
}

/// How many nodes a lookup looks at.
fn visits(tree: &Tree<String>, path: &str) -> usize {
    tree.visits.set(0);
    tree.find(path.as_bytes());
    tree.visits.get()
}

#[test]
fn the_work_does_not_grow_with_the_routes() {
    let few = ["/api/v1/things0/{id}/parts".to_owned()];
    let many = (0..10_000).map(|n| format!("/api/v1/things{n}/{{id}}/parts"));
    let many: Vec<String> = many.collect();
    let (few, many) = (
        tree(few.iter().map(String::as_str)),
        tree(many.iter().map(String::as_str)),
    );
    for path in ["/api/v1/things0/7/parts", "/api/v1/none/7/parts", "/x"] {
        assert_eq!(visits(&few, path), visits(&many, path), "{path}");
        assert!(visits(&many, path) <= path.matches('/').count(), "{path}");
    }
}

#[test]
fn a_path_of_slashes_is_no_work() {
    let tree = tree(["/a/{b}/c", "/{a}/b/{c}"]);
    assert!(visits(&tree, &"/a".repeat(30_000)) <= 6);
    assert!(visits(&tree, &"/".repeat(60_000)) <= 2);
}

/// The rules once more, without a tree: of all patterns that fit, the one whose segments are the strictest.
fn reference<'p>(patterns: &'p [String], path: &str) -> &'p str {
    let fits = |pattern: &&String| {
        let mut rest = path.strip_prefix('/');
        for segment in pattern[1..].split('/') {
            let Some(text) = rest else {
                return false;
            };
            if segment.starts_with("{*") {
                return true;
            }
            let (head, tail) = match text.split_once('/') {
                Some((head, tail)) => (head, Some(tail)),
                None => (text, None),
            };
            let fits = if segment.starts_with('{') {
                !head.is_empty()
            } else {
                head == segment
            };
            if !fits {
                return false;
            }
            rest = tail;
        }
        rest.is_none()
    };
    let strictness = |pattern: &&String| -> Vec<usize> {
        let segments = pattern[1..].split('/');
        segments
            .map(|segment| match segment {
                _ if segment.starts_with("{*") => 2,
                _ if segment.starts_with('{') => 1,
                _ => 0,
            })
            .collect()
    };
    let best = patterns.iter().filter(fits).min_by_key(strictness);
    best.map_or("", String::as_str)
}

/// Patterns of up to four segments out of few words, so that many stand in each other's way.
fn some_patterns(pick: &mut impl FnMut(usize) -> usize) -> Vec<String> {
    let mut patterns: Vec<String> = Vec::new();
    for _ in 0..1 + pick(12) {
        let depth = 1 + pick(4);
        let mut text = String::new();
        for level in 1..=depth {
            text += &match pick(if level == depth { 6 } else { 4 }) {
                0 => "/a".to_owned(),
                1 => "/b".to_owned(),
                2 | 3 => format!("/{{p{level}}}"),
                4 => "/{*t}".to_owned(),
                _ => "/".to_owned(),
            };
        }
        if !patterns.contains(&text) {
            patterns.push(text);
        }
    }
    patterns
}

#[test]
fn the_tree_finds_what_trying_every_pattern_finds() {
    let mut seed = 7_u64;
    let mut pick = |choices: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % choices
    };
    for _ in 0..300 {
        let patterns = some_patterns(&mut pick);
        let tree = tree(patterns.iter().map(String::as_str));
        for _ in 0..50 {
            let segments = 1 + pick(5);
            let words = (0..segments).map(|_| ["/a", "/b", "/c", "/"][pick(4)]);
            let path: String = words.collect();
            let expected = reference(&patterns, &path);
            assert_eq!(find(&tree, &path).0, expected, "{path} in {patterns:?}");
        }
    }
}
