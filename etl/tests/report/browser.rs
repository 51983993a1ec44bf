//! The HTML report in a real browser: an empty console, every chart, no overflow on phone and desktop, both themes, and A4 in print.
//!
//! A test page shows the unchanged report in frames of each width, because a browser window has a minimum width, and dumps what the
//! frames show.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use etl::report::{Chart, Language, QUESTIONS};
use serde_json::Value;

use crate::fixture::{FOLDER, Fixture, TWO_YEARS};

const WIDTHS: [u32; 2] = [375, 1280];

/// Inspects each frame and replaces the page with a JSON document.
const INSPECT: &str = r"
function inspect(frame) {
  const page = frame.contentDocument, width = frame.clientWidth;
  const box = element => element.getBoundingClientRect();
  const outside = element => box(element).right > width + 0.5 || box(element).left < -0.5;
  const name = element => (element.closest('section')?.id ?? '') + ' ' + element.tagName + ' ' + element.textContent.slice(0, 40);
  const shown = [...page.querySelectorAll('figure svg')].filter(svg => box(svg).width > 0);
  const style = frame.contentWindow.getComputedStyle(page.body);
  return {
    width,
    scroll: page.documentElement.scrollWidth,
    sections: [...page.querySelectorAll('section')].map(section => section.id),
    charts: shown.map(svg => ({
      section: svg.closest('section').id, width: box(svg).width, height: box(svg).height, marks: svg.children.length,
    })),
    bars: [...page.querySelectorAll('td.bar')].filter(cell => !cell.closest('details') && box(cell).width > 20).map(cell => cell.closest('section').id),
    outside: [...page.querySelectorAll('body *')].filter(e => !e.closest('.scroll') && outside(e)).map(name),
    broken: [...page.querySelectorAll('svg *')].filter(e => /NaN|Infinity/.test(e.outerHTML)).map(name),
    background: style.backgroundColor,
    ink: style.color,
  };
}
onload = () => { document.body.textContent = 'BEGIN' + JSON.stringify([...document.querySelectorAll('iframe')].map(inspect)) + 'END'; };
";

/// Runs the browser for at most a minute, with a new profile. Returns stdout and stderr.
fn browser(arguments: &[String]) -> (String, String) {
    let profile = tempfile::tempdir().unwrap();
    let output = Command::new("timeout")
        .args([
            "60",
            "chromium",
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
        ])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args([
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--allow-file-access-from-files",
            "--enable-logging=stderr",
        ])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

/// Returns what the frames show in one theme.
fn inspect(folder: &Path, dark: bool) -> Vec<Value> {
    let frames: Vec<String> = WIDTHS
        .iter()
        .map(|width| {
            format!("<iframe src=\"report.html\" style=\"width:{width}px;height:9000px;border:0\"></iframe>")
        })
        .collect();
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><body>{}<script>{INSPECT}</script></body>",
        frames.concat()
    );
    std::fs::write(folder.join("inspect.html"), page).unwrap();
    let scheme = format!("--blink-settings=preferredColorScheme={}", u8::from(!dark));
    let url = format!("file://{}", folder.join("inspect.html").display());
    let (dom, console) =
        browser(&[scheme, "--window-size=1400,1000".to_owned(), "--dump-dom".to_owned(), url]);
    assert!(!console.contains("CONSOLE"), "the console is not empty: {console}");
    let seen = dom.split_once("BEGIN").and_then(|(_, rest)| rest.split_once("END")).expect(&dom).0;
    let seen = seen.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    serde_json::from_str(&seen).unwrap()
}

fn names(value: &Value) -> BTreeSet<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|entry| entry.as_str().or_else(|| entry["section"].as_str()))
        .collect()
}

/// Returns the questions that have rows and a chart that fits.
fn expected(fixture: &Fixture, fits: impl Fn(&Chart) -> bool) -> BTreeSet<&'static str> {
    let drawn = QUESTIONS.iter().filter(|question| fits(&question.chart));
    drawn.map(|question| question.name).filter(|name| !fixture.rows(name).is_empty()).collect()
}

#[tokio::test]
async fn page_fits_phone_and_desktop_in_both_themes() {
    let fixture = Fixture::sampled(3_000, 5).await;
    // Text that must be escaped, and a very long word.
    fixture.change("UPDATE province SET name = '<b>Córdoba & Cía.</b>' WHERE province_id = 14").await;
    let long_word = "x".repeat(200);
    fixture
        .change(&format!("UPDATE release_case_1 SET sex = '{long_word}' WHERE sex = 'NR'; TRUNCATE case_count, place_count, delay_count, contradiction_count"))
        .await;
    for language in [Language::Spanish, Language::English] {
        fixture.report(language).await.unwrap();
        let mut backgrounds = BTreeSet::new();
        for dark in [false, true] {
            for seen in inspect(&fixture.path(FOLDER), dark) {
                let at = format!("{language}, dark: {dark}, {} px", seen["width"]);
                assert_eq!(seen["scroll"], seen["width"], "{at}: the page scrolls sideways");
                assert_eq!(seen["outside"], serde_json::json!([]), "{at}: elements overflow");
                assert_eq!(seen["broken"], serde_json::json!([]), "{at}: no mark is NaN or infinite");
                assert_eq!(names(&seen["sections"]).len(), QUESTIONS.len(), "{at}");
                let figures = expected(&fixture, |chart| !matches!(chart, Chart::None | Chart::Bars));
                assert_eq!(names(&seen["charts"]), figures, "{at}: charts are missing");
                assert_eq!(
                    seen["charts"].as_array().unwrap().len(),
                    figures.len(),
                    "{at}: charts are repeated"
                );
                for chart in seen["charts"].as_array().unwrap() {
                    assert!(chart["width"].as_f64().unwrap() > 300.0, "{at}: {chart}");
                    assert!(chart["height"].as_f64().unwrap() > 150.0, "{at}: {chart}");
                    assert!(chart["marks"].as_u64().unwrap() > 5, "{at}: {chart}");
                }
                assert_eq!(names(&seen["bars"]), expected(&fixture, |chart| *chart == Chart::Bars), "{at}");
                backgrounds.insert(format!("{} {}", seen["background"], seen["ink"]));
            }
        }
        assert_eq!(backgrounds.len(), 2, "not one background for each theme: {backgrounds:?}");
    }
}

#[tokio::test]
async fn page_references_no_other_resource() {
    let fixture = Fixture::with(TWO_YEARS).await;
    fixture.report(Language::Spanish).await.unwrap();
    let page = fixture.read(&format!("{FOLDER}/report.html"));
    for foreign in ["<script", "<link rel=\"stylesheet", "@import", "url(", "http://", "https://", "src="] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.starts_with("<!doctype html>\n<html lang=\"es\">"));
}

#[tokio::test]
async fn page_prints_on_a4() {
    let fixture = Fixture::with(TWO_YEARS).await;
    fixture.report(Language::Spanish).await.unwrap();
    let (page, paper) = (fixture.path(&format!("{FOLDER}/report.html")), fixture.path("report.pdf"));
    browser(&[format!("--print-to-pdf={}", paper.display()), format!("file://{}", page.display())]);
    let pdf = String::from_utf8_lossy(&std::fs::read(paper).unwrap()).into_owned();
    let pages = pdf.matches("/MediaBox").count();
    assert!((2..=12).contains(&pages), "{pages} pages");
    // 210 by 297 mm in points, as the browser rounds them.
    assert_eq!(pdf.matches("/MediaBox [0 0 594.95996 841.91998]").count(), pages);
}

#[tokio::test]
async fn failed_question_is_marked_on_page_and_in_document() {
    let fixture = Fixture::with(TWO_YEARS).await;
    fixture.change("ALTER VIEW covid_case RENAME COLUMN diagnosed_on TO tested_on").await;
    fixture.report(Language::Spanish).await.unwrap_err();
    let page = fixture.read(&format!("{FOLDER}/report.html"));
    assert!(page.contains("INCOMPLETO: fallaron 1 de 41 preguntas"), "no warning in the head");
    assert!(page.contains("<section id=\"contradictions\" class=\"failed"), "no failure in the section");
    assert!(page.contains("<section id=\"age_pyramid\" class=\"answer"), "other questions are missing");

    let document: Value = serde_json::from_str(&fixture.read(&format!("{FOLDER}/report.json"))).unwrap();
    assert_eq!(
        (&document["format"], document["questions"].as_array().unwrap().len()),
        (&1.into(), QUESTIONS.len())
    );
    for question in document["questions"].as_array().unwrap() {
        let failed = question["name"] == "contradictions";
        assert_eq!(
            (question["rows"].is_null(), question["error"].is_string()),
            (failed, failed),
            "{question}"
        );
        assert!(question["title"]["es"].is_string() && question["title"]["en"].is_string());
        let columns = question["columns"].as_array().unwrap().len();
        let rows = question["rows"].as_array().into_iter().flatten();
        assert!(rows.into_iter().all(|row| row.as_array().unwrap().len() == columns), "{question}");
    }
    let years = &document["questions"][1];
    assert_eq!((&years["rows"][0][0], &years["rows"][0][1]), (&2021.into(), &9073.into()));
}
