//! The page in a real browser: every pattern is run with a click, in both languages, without an error in the console.

mod chromium;
#[path = "../support/tour.rs"]
mod tour;

use chromium::Page;
use tour::Tour;

/// What says in the page whether a pattern is done: a promise of its state, once that is not `running`.
const ENDED: &str = "new Promise((done) => {
    const look = () => {
        const state = section.dataset.state;
        if (state && state !== 'running') done(state);
    };
    new MutationObserver(look).observe(section, { attributes: true });
    look();
})";

#[test]
fn every_pattern_runs_at_a_click() {
    let Some(mut page) = Page::open() else {
        return;
    };
    let tour = Tour::start();
    let url = format!("http://{}/", tour.addr);

    page.go(&format!("{url}?lang=en"));
    assert_eq!(page.text("document.title"), "Squall: a tour");
    let names =
        page.eval("[...document.querySelectorAll('.pattern')].map((section) => section.id)");
    let names: Vec<&str> = names
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str())
        .collect();
    assert_eq!(names.len(), 7);
    for name in names {
        a_pattern_runs(&mut page, name);
    }
    the_timeline_answers_to_keys(&mut page);
    a_run_is_stopped(&mut page);
    an_error_is_shown(&mut page);
    the_language_is_switched_and_remembered(&mut page, &url);
    it_fits_a_phone(&mut page);
    assert_eq!(page.problems(), [""; 0]);
}

fn a_pattern_runs(page: &mut Page, name: &str) {
    page.click(&format!("#{name} button[type=submit]"));
    let state = page.text(&in_section(name, ENDED));
    assert_eq!(state, "done", "{name}");
    let lines = page.text(&in_section(
        name,
        "[...section.querySelectorAll('.output li')].map((line) => line.innerText.trim()).join('\\n')",
    ));
    assert!(
        lines.starts_with("start") && lines.ends_with("end"),
        "{name}: {lines}"
    );
    let drops = page.text(&in_section(
        name,
        "section.querySelector('.chart svg .runs').getAttribute('d')",
    ));
    assert!(drops.starts_with('M'), "{name}: {drops}");
    let bars = page.count(&in_section(
        name,
        "[...section.querySelectorAll('.chart svg rect.pool')].filter((bar) => bar.getBBox().width > 0).length",
    ));
    let has_pool = matches!(name, "run_sync" | "thread_pool");
    assert_eq!(bars > 0, has_pool, "{name}: {bars} bars");
    let logs = page.count(&in_section(
        name,
        "section.querySelectorAll('.output .log').length",
    ));
    assert_eq!(
        logs,
        if name == "fire_and_forget" { 2 } else { 0 },
        "{name}"
    );
    let told = page.text(&in_section(
        name,
        "section.querySelector('.told').textContent",
    ));
    assert!(told.contains("The loop ran"), "{name}: {told}");
}

/// The pattern has run before.
fn the_timeline_answers_to_keys(page: &mut Page) {
    page.eval("document.querySelector('#thread_pool .chart').focus()");
    page.press("ArrowRight");
    let told = page.text("document.querySelector('#thread_pool .told').textContent");
    assert!(told.contains("the loop"), "{told}");
    let lit = page.count("document.querySelectorAll('#thread_pool .source .lit').length");
    assert_eq!(lit, 1);
    page.press("Escape");
    let lit = page.count("document.querySelectorAll('#thread_pool .source .lit').length");
    assert_eq!(lit, 0);
}

fn a_run_is_stopped(page: &mut Page) {
    page.eval("document.querySelector('#thread_pool input').value = '40'");
    page.click("#thread_pool button[type=submit]");
    let first = "new Promise((done) => {
        const output = section.querySelector('.output ol');
        const look = () => { if (output.children.length) done(output.children[0].innerText.trim()); };
        new MutationObserver(look).observe(output, { childList: true });
        look();
    })";
    assert_eq!(page.text(&in_section("thread_pool", first)), "start");
    page.click("#thread_pool button[type=submit]");
    assert_eq!(page.text(&in_section("thread_pool", ENDED)), "stopped");
}

fn an_error_is_shown(page: &mut Page) {
    page.eval("document.querySelector('#done_callback input').value = 'http://127.0.0.1:9/'");
    page.click("#done_callback button[type=submit]");
    assert_eq!(page.text(&in_section("done_callback", ENDED)), "failed");
    let error = page.text("document.querySelector('#done_callback .output .failed').innerText");
    assert!(error.contains("127.0.0.1:9"), "{error}");
}

fn the_language_is_switched_and_remembered(page: &mut Page, url: &str) {
    page.click("#language");
    assert_eq!(page.text("document.documentElement.lang"), "zh-Hans");
    assert_eq!(page.text("document.title"), "Squall 导览");
    assert_eq!(
        page.text("document.querySelector('#promise h2').innerText"),
        "亲手兑现的 future"
    );
    let state = page.text("document.querySelector('#promise .state').textContent");
    assert!(state.starts_with("完成"), "{state}");
    page.go(url);
    assert_eq!(page.text("document.documentElement.lang"), "zh-Hans");
    page.click("#language");
    assert_eq!(
        page.text("document.querySelector('#promise h2').innerText"),
        "A future settled by hand"
    );
}

fn it_fits_a_phone(page: &mut Page) {
    page.resize(390, 844);
    for language in ["en", "zh-Hans"] {
        page.eval(&format!("document.documentElement.lang = '{language}'"));
        assert_eq!(
            page.count("document.documentElement.scrollWidth"),
            390,
            "{language}"
        );
    }
}

/// An expression about the section of a pattern, which it calls `section`.
fn in_section(name: &str, expression: &str) -> String {
    format!("((section) => {expression})(document.getElementById('{name}'))")
}
