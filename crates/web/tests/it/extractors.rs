//! Path parameters and queries.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use squall_web::testing::TestClient;
use squall_web::{Application, Path, Query};

use crate::run;

/// What a handler that asks for `T` gets from a path, or the text of the response.
async fn path<T: DeserializeOwned + Debug + 'static>(route: &str, target: &str) -> (u16, String) {
    let handler = |Path(value): Path<T>| async move { format!("{value:?}") };
    ask(Application::new().get(route, handler), target).await
}

async fn query<T: DeserializeOwned + Debug + 'static>(query: &str) -> (u16, String) {
    let handler = |Query(value): Query<T>| async move { format!("{value:?}") };
    ask(Application::new().get("/", handler), &format!("/{query}")).await
}

async fn ask(app: Application, target: &str) -> (u16, String) {
    let response = TestClient::new(app).get(target).await;
    (
        response.status().as_u16(),
        response.text().trim_end().to_owned(),
    )
}

fn ok(text: &str) -> (u16, String) {
    (200, text.to_owned())
}

fn bad(text: &str) -> (u16, String) {
    (400, format!("400 Bad Request: {text}"))
}

fn broken() -> (u16, String) {
    (500, "500 Internal Server Error".to_owned())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Article,
    Comment,
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "read by Debug")]
struct Newtype(u32);

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "read by Debug")]
struct Comment {
    number: u32,
    slug: String,
}

#[test]
fn one_parameter() {
    run(async {
        let one = "/{x}";
        assert_eq!(path::<String>(one, "/a").await, ok(r#""a""#));
        assert_eq!(
            path::<String>(one, "/caf%C3%A9%20a%2Fb").await,
            ok("\"caf\u{e9} a/b\"")
        );
        assert_eq!(path::<String>(one, "/a+b").await, ok(r#""a+b""#));
        assert_eq!(
            path::<String>("/{*x}", "/a/b%2Fc/").await,
            ok(r#""a/b/c/""#)
        );
        assert_eq!(path::<u32>(one, "/7").await, ok("7"));
        assert_eq!(path::<i8>(one, "/-128").await, ok("-128"));
        assert_eq!(path::<u128>(one, "/7").await, ok("7"));
        assert_eq!(path::<f64>(one, "/1.5").await, ok("1.5"));
        assert_eq!(path::<bool>(one, "/true").await, ok("true"));
        assert_eq!(path::<char>(one, "/%C3%A9").await, ok("'\u{e9}'"));
        assert_eq!(path::<Option<u8>>(one, "/7").await, ok("Some(7)"));
        assert_eq!(path::<Newtype>(one, "/7").await, ok("Newtype(7)"));
        assert_eq!(path::<Kind>(one, "/article").await, ok("Article"));
        assert_eq!(path::<(u32,)>(one, "/7").await, ok("(7,)"));
        assert_eq!(path::<Vec<u32>>(one, "/7").await, ok("[7]"));
        assert_eq!(path::<()>(one, "/7").await, ok("()"));
    });
}

#[test]
fn several_parameters() {
    run(async {
        let route = "/{slug}/{number}";
        let comment = ok(r#"Comment { number: 7, slug: "a" }"#);
        assert_eq!(path::<Comment>(route, "/a/7").await, comment);
        assert_eq!(
            path::<(String, u32)>(route, "/a/7").await,
            ok(r#"("a", 7)"#)
        );
        assert_eq!(
            path::<(Kind, Newtype)>(route, "/comment/7").await,
            ok("(Comment, Newtype(7))")
        );
        assert_eq!(
            path::<Vec<String>>(route, "/a/7").await,
            ok(r#"["a", "7"]"#)
        );
        let map = ok(r#"{"number": "7", "slug": "a"}"#);
        assert_eq!(path::<BTreeMap<String, String>>(route, "/a/7").await, map);
    });
}

#[test]
fn values_that_are_none() {
    run(async {
        let one = "/{x}";
        let invalid = bad("path parameter `x` is not valid");
        assert_eq!(path::<u32>(one, "/seven").await, invalid);
        assert_eq!(path::<u8>(one, "/256").await, invalid);
        assert_eq!(path::<u32>(one, "/-1").await, invalid);
        assert_eq!(path::<bool>(one, "/yes").await, invalid);
        assert_eq!(path::<char>(one, "/ab").await, invalid);
        assert_eq!(path::<Kind>(one, "/user").await, invalid);
        let second = bad("path parameter `number` is not valid");
        assert_eq!(
            path::<(String, u32)>("/{slug}/{number}", "/a/b").await,
            second
        );
        assert_eq!(path::<Comment>("/{slug}/{number}", "/a/b").await, second);
        let utf8 = bad("path parameter `x` is not UTF-8");
        assert_eq!(path::<String>(one, "/%FF").await, utf8);
        assert_eq!(path::<String>(one, "/a%C3").await, utf8);
        // What is no escape stays as it is (WHATWG URL section 1.3).
        assert_eq!(path::<String>(one, "/%zz%").await, ok(r#""%zz%""#));
    });
}

#[test]
fn types_that_do_not_fit_the_route() {
    run(async {
        assert_eq!(path::<String>("/{a}/{b}", "/a/b").await, broken());
        assert_eq!(path::<(String,)>("/{a}/{b}", "/a/b").await, broken());
        assert_eq!(path::<(String, String)>("/{a}", "/a").await, broken());
        assert_eq!(path::<String>("/a", "/a").await, broken());
        assert_eq!(path::<Comment>("/{slug}/{other}", "/a/7").await, broken());
        assert_eq!(path::<(Vec<u8>, u8)>("/{a}/{b}", "/1/2").await, broken());
        assert_eq!(
            path::<BTreeMap<String, Comment>>("/{a}/{b}", "/1/2").await,
            broken()
        );
    });
}

#[derive(Debug, Deserialize)]
#[allow(dead_code, reason = "read by Debug")]
struct Search {
    q: String,
    page: Option<u32>,
    #[serde(default)]
    tag: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "read by Debug")]
struct Strict {
    kind: Option<Kind>,
}

#[test]
fn queries() {
    run(async {
        let search = |q: &str, page: &str, tag: &str| {
            ok(&format!("Search {{ q: {q:?}, page: {page}, tag: {tag} }}"))
        };
        for (text, expected) in [
            ("?q=a", search("a", "None", "[]")),
            ("?q=a&page=2", search("a", "Some(2)", "[]")),
            ("?page=2&q=a", search("a", "Some(2)", "[]")),
            ("?q=a&page=", search("a", "None", "[]")),
            ("?q=", search("", "None", "[]")),
            ("?q", search("", "None", "[]")),
            ("?&&q=a&", search("a", "None", "[]")),
            ("?q=a&tag=x", search("a", "None", r#"["x"]"#)),
            (
                "?tag=x&q=a&tag=y&tag=",
                search("a", "None", r#"["x", "y", ""]"#),
            ),
            ("?q=a+b%20c%2B", search("a b c+", "None", "[]")),
            ("?q=a=b", search("a=b", "None", "[]")),
            ("?%71=a", search("a", "None", "[]")),
            ("?q=a&other=1&other=2", search("a", "None", "[]")),
            ("", bad("query parameter `q` is missing")),
            ("?page=2", bad("query parameter `q` is missing")),
            ("?q=a&page=two", bad("query parameter `page` is not valid")),
            ("?q=a&q=b", bad("query parameter `q` is not valid")),
            (
                "?q=a&page=1&page=2",
                bad("query parameter `page` is not valid"),
            ),
            ("?q=%FF", bad("the query is not UTF-8")),
            ("?%FF=1&q=a", bad("the query is not UTF-8")),
        ] {
            assert_eq!(query::<Search>(text).await, expected, "{text}");
        }
    });
}

#[test]
fn other_types_of_queries() {
    run(async {
        let lists = ok(r#"{"a": ["1", "2"], "b": ["3"]}"#);
        type Lists = BTreeMap<String, Vec<String>>;
        assert_eq!(query::<Lists>("?a=1&b=3&a=2").await, lists);
        assert_eq!(query::<BTreeMap<char, u8>>("?a=1").await, ok("{'a': 1}"));
        let strict = ok("Strict { kind: Some(Article) }");
        assert_eq!(query::<Strict>("?kind=article").await, strict);
        let unknown = bad("query parameter `other` is not known");
        assert_eq!(query::<Strict>("?other=1").await, unknown);
        let long = format!("?{}=1", "%0A".repeat(1000));
        let quoted = bad(&format!(
            "query parameter `{}` is not known",
            r"\n".repeat(64)
        ));
        assert_eq!(query::<Strict>(&long).await, quoted);
        // A list is no struct of parameters, nor is a parameter one.
        assert_eq!(query::<Vec<String>>("?a=1").await, broken());
        assert_eq!(query::<BTreeMap<String, Search>>("?a=1").await, broken());
    });
}

#[test]
fn a_query_of_very_many_names_is_no_great_work() {
    run(async {
        let text: String = (0..8_000).map(|n| format!("{n}&")).collect();
        type Lists = BTreeMap<String, Vec<String>>;
        let handler = |Query(lists): Query<Lists>| async move { lists.len().to_string() };
        let app = Application::new().get("/", handler);
        assert_eq!(ask(app, &format!("/?{text}")).await, ok("8000"));
    });
}
