//! The HTML report in a real browser: nothing in its console, every chart there and drawn, nothing wider than a phone or a
//! desktop, both themes, and A4 on paper.
//!
//! A page of the test's own holds the report in frames of each width, because a browser's window has a least width, and says
//! what it sees there. The report itself is opened as it is.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use etl::report::{Chart, Language, QUESTIONS};
use serde_json::Value;

use crate::place::{FOLDER, Place, TWO_YEARS};

const WIDTHS: [u32; 2] = [375, 1280];

/// Reads each frame and leaves a JSON document in the page.
const LOOK: &str = r"
function look(frame) {
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
onload = () => { document.body.textContent = 'SEEN' + JSON.stringify([...document.querySelectorAll('iframe')].map(look)) + 'NEES'; };
";

/// Runs the browser, at most a minute, with a profile of its own.
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

/// What the frames show, in one theme.
fn look(folder: &Path, dark: bool) -> Vec<Value> {
    let frames: Vec<String> = WIDTHS
        .iter()
        .map(|width| {
            format!("<iframe src=\"report.html\" style=\"width:{width}px;height:9000px;border:0\"></iframe>")
        })
        .collect();
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><body>{}<script>{LOOK}</script></body>",
        frames.concat()
    );
    std::fs::write(folder.join("look.html"), page).unwrap();
    let scheme = format!("--blink-settings=preferredColorScheme={}", u8::from(!dark));
    let url = format!("file://{}", folder.join("look.html").display());
    let (dom, console) =
        browser(&[scheme, "--window-size=1400,1000".to_owned(), "--dump-dom".to_owned(), url]);
    assert!(!console.contains("CONSOLE"), "the console is not empty: {console}");
    let seen = dom.split_once("SEEN").and_then(|(_, rest)| rest.split_once("NEES")).expect(&dom).0;
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

/// Questions whose answer has a row here, by whether they are drawn as a figure or as bars.
fn expected(place: &Place, fits: impl Fn(Chart) -> bool) -> BTreeSet<&'static str> {
    let drawn = QUESTIONS.iter().filter(|question| fits(question.chart));
    drawn.map(|question| question.name).filter(|name| !place.rows(name).is_empty()).collect()
}

/// A sample that has everything, in both themes and at both widths.
#[tokio::test]
async fn the_page_holds_on_a_phone_and_on_a_desktop_in_both_themes() {
    let place = Place::sampled(3_000, 5).await;
    // A word that must not become markup, and one that has no end.
    place.change("UPDATE province SET name = '<b>Córdoba & Cía.</b>' WHERE province_id = 14").await;
    let endless = "x".repeat(200);
    place
        .change(&format!("UPDATE release_case_1 SET sex = '{endless}' WHERE sex = 'NR'; TRUNCATE case_count, place_count, delay_count, contradiction_count"))
        .await;
    for language in [Language::Spanish, Language::English] {
        place.report(language).await.unwrap();
        let mut backgrounds = BTreeSet::new();
        for dark in [false, true] {
            for seen in look(&place.path(FOLDER), dark) {
                let at = format!("{language}, dark: {dark}, {} px", seen["width"]);
                assert_eq!(seen["scroll"], seen["width"], "{at}: the page is as wide as the screen");
                assert_eq!(seen["outside"], serde_json::json!([]), "{at}: nothing is outside");
                assert_eq!(seen["broken"], serde_json::json!([]), "{at}: every mark has a place");
                assert_eq!(names(&seen["sections"]).len(), QUESTIONS.len(), "{at}");
                let figures = expected(&place, |chart| !matches!(chart, Chart::None | Chart::Bars));
                assert_eq!(names(&seen["charts"]), figures, "{at}: every chart is there");
                assert_eq!(seen["charts"].as_array().unwrap().len(), figures.len(), "{at}: and once");
                for chart in seen["charts"].as_array().unwrap() {
                    assert!(chart["width"].as_f64().unwrap() > 300.0, "{at}: {chart}");
                    assert!(chart["height"].as_f64().unwrap() > 150.0, "{at}: {chart}");
                    assert!(chart["marks"].as_u64().unwrap() > 5, "{at}: {chart}");
                }
                assert_eq!(names(&seen["bars"]), expected(&place, |chart| chart == Chart::Bars), "{at}");
                backgrounds.insert(format!("{} {}", seen["background"], seen["ink"]));
            }
        }
        assert_eq!(backgrounds.len(), 2, "one for each theme, whatever the width: {backgrounds:?}");
    }
}

#[tokio::test]
async fn it_needs_nothing_but_itself() {
    let place = Place::with(TWO_YEARS).await;
    place.report(Language::Spanish).await.unwrap();
    let page = place.read(&format!("{FOLDER}/report.html"));
    for foreign in ["<script", "<link rel=\"stylesheet", "@import", "url(", "http://", "https://", "src="] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.starts_with("<!doctype html>\n<html lang=\"es\">"));
}

#[tokio::test]
async fn it_prints_on_a4() {
    let place = Place::with(TWO_YEARS).await;
    place.report(Language::Spanish).await.unwrap();
    let (page, paper) = (place.path(&format!("{FOLDER}/report.html")), place.path("report.pdf"));
    browser(&[format!("--print-to-pdf={}", paper.display()), format!("file://{}", page.display())]);
    let pdf = String::from_utf8_lossy(&std::fs::read(paper).unwrap()).into_owned();
    let pages = pdf.matches("/MediaBox").count();
    assert!((2..=12).contains(&pages), "{pages} pages");
    // 210 by 297 mm, in points, as far as the browser rounds them.
    assert_eq!(pdf.matches("/MediaBox [0 0 594.95996 841.91998]").count(), pages);
}

#[tokio::test]
async fn a_question_that_failed_is_on_the_page_and_in_the_document() {
    let place = Place::with(TWO_YEARS).await;
    place.change("ALTER VIEW covid_case RENAME COLUMN diagnosed_on TO tested_on").await;
    place.report(Language::Spanish).await.unwrap_err();
    let page = place.read(&format!("{FOLDER}/report.html"));
    assert!(page.contains("INCOMPLETO: fallaron 1 de 27 preguntas"), "the head says it");
    assert!(page.contains("<section id=\"contradictions\" class=\"failed"), "and the section");
    assert!(page.contains("<section id=\"age_pyramid\" class=\"answer"), "the others are there");

    let document: Value = serde_json::from_str(&place.read(&format!("{FOLDER}/report.json"))).unwrap();
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
