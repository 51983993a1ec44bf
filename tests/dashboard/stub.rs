//! A fake Metabase that stores items and rejects what Metabase's published API does not accept.
//!
//! Requests are validated against the API description of version 57. Responses imitate Metabase's: items with an id, lists bare or in
//! `data`, and additional properties.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use crate::schema::{
    CARD, COLLECTION, DASHBOARD, DASHBOARD_CHANGE, DATABASE, DATABASE_CHANGE, FIELD, TABLE, Type, check,
};

#[derive(Default)]
pub(crate) struct FakeState {
    /// The first user, once there is one.
    user: Option<(String, String)>,
    next_id: i64,
    /// By path and id.
    pub(crate) things: BTreeMap<(String, i64), Value>,
    /// Every request that changed something.
    pub(crate) changes: Vec<String>,
    /// Number of metadata requests: the tables appear in the second response.
    metadata_requests: u32,
}

/// A server that runs until the test process ends.
pub(crate) struct Stub {
    pub(crate) url: String,
    pub(crate) state: Arc<Mutex<FakeState>>,
}

impl Stub {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(FakeState { next_id: 1, ..FakeState::default() }));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, state) = (stream.unwrap(), Arc::clone(&shared));
                std::thread::spawn(move || serve(&stream, &state));
            }
        });
        Self { url, state }
    }

    /// Returns the items at a path.
    pub(crate) fn things(&self, path: &str) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        state.things.iter().filter(|((at, _), _)| at == path).map(|(_, thing)| thing.clone()).collect()
    }

    /// Returns the changes since the last call.
    pub(crate) fn take_changes(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().changes)
    }
}

/// Serves one request per connection.
fn serve(stream: &TcpStream, state: &Mutex<FakeState>) {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    if reader.read_line(&mut first).unwrap_or(0) == 0 {
        return;
    }
    let (mut length, mut session) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "x-metabase-session" => value.clone_into(&mut session),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body: Value = if length == 0 { Value::Null } else { serde_json::from_slice(&body).unwrap() };
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    let (status, answer) = state.lock().unwrap().answer(method, target, &body, &session);
    let answer = answer.to_string();
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{answer}",
        answer.len()
    )
    .unwrap();
}

impl FakeState {
    fn answer(&mut self, method: &str, target: &str, body: &Value, session: &str) -> (&'static str, Value) {
        match self.route(method, target, body, session) {
            Ok(answer) => ("200 OK", answer),
            Err(why) if why == "unauthenticated" => ("401 Unauthorized", json!("Unauthenticated")),
            Err(why) => ("400 Bad Request", json!({ "errors": why })),
        }
    }

    fn route(&mut self, method: &str, target: &str, body: &Value, session: &str) -> Result<Value, String> {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let login = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        match (method, path) {
            ("GET", "/api/session/properties") => {
                return Ok(json!({ "has-user-setup": self.user.is_some(), "setup-token": "token-1" }));
            }
            ("POST", "/api/setup") => {
                check(
                    body,
                    &[("token", Type::Text, true), ("user", Type::Map, true), ("prefs", Type::Map, true)],
                )?;
                let text = |name| (name, Type::Text, true);
                check(&body["user"], &["email", "password", "first_name", "last_name"].map(text))?;
                check(&body["prefs"], &[text("site_name"), ("site_locale", Type::Text, false)])?;
                if self.user.is_some() || body["token"] != "token-1" {
                    return Err("the token is used".to_owned());
                }
                let text = |name: &str| body["user"][name].as_str().unwrap().to_owned();
                self.user = Some((text("email"), text("password")));
                self.changes.push("user".to_owned());
                return Ok(json!({ "id": "session-1" }));
            }
            ("POST", "/api/session") => {
                check(body, &[("username", Type::Text, true), ("password", Type::Text, true)])?;
                if self.user != Some((login("username"), login("password"))) {
                    return Err("unauthenticated".to_owned());
                }
                return Ok(json!({ "id": "session-1" }));
            }
            _ if session != "session-1" => return Err("unauthenticated".to_owned()),
            _ => {}
        }
        let parts: Vec<&str> = path.trim_start_matches("/api/").split('/').collect();
        let id = |at: usize| parts.get(at).and_then(|part| part.parse::<i64>().ok());
        match (method, parts.as_slice()) {
            ("GET", ["database"]) => Ok(json!({ "data": self.all("database"), "total": 1 })),
            ("GET", ["collection"]) => Ok(json!(self.all("collection"))),
            ("GET", ["database", _, "metadata"]) => Ok(self.metadata(query.contains("include_hidden=true"))),
            ("POST", ["database", _, "sync_schema"]) => Ok(json!({ "status": "ok" })),
            ("GET", ["collection", _, "items"]) => Ok(json!({ "data": self.items(id(1)) })),
            ("GET", [kind, _]) => self
                .things
                .get(&((*kind).to_owned(), id(1).unwrap_or(0)))
                .cloned()
                .ok_or_else(|| "Not found.".to_owned()),
            ("POST", [kind]) => {
                check(
                    body,
                    match *kind {
                        "database" => DATABASE,
                        "collection" => COLLECTION,
                        "card" => CARD,
                        "dashboard" => DASHBOARD,
                        _ => return Err(format!("no such thing: {kind}")),
                    },
                )?;
                self.create(kind, body)
            }
            ("PUT", [kind, _]) => {
                check(
                    body,
                    match *kind {
                        "database" => DATABASE_CHANGE,
                        "collection" => COLLECTION,
                        "card" => CARD,
                        "dashboard" => DASHBOARD_CHANGE,
                        "field" => FIELD,
                        "table" => TABLE,
                        _ => return Err(format!("no such thing: {kind}")),
                    },
                )?;
                self.change(kind, id(1).unwrap_or(0), body)
            }
            _ => Err(format!("no such endpoint: {method} {path}")),
        }
    }

    fn all(&self, kind: &str) -> Vec<&Value> {
        self.things.iter().filter(|((at, _), _)| at == kind).map(|(_, thing)| thing).collect()
    }

    fn items(&self, collection: Option<i64>) -> Vec<Value> {
        let of = |kind: &str| {
            let things =
                self.all(kind).into_iter().filter(|thing| thing["collection_id"].as_i64() == collection);
            let item = |thing: &Value| json!({ "id": thing["id"], "model": kind, "name": thing["name"], "description": thing["description"] });
            things.map(item).collect::<Vec<_>>()
        };
        [of("card"), of("dashboard")].concat()
    }

    /// The pipeline's tables, which are not there yet the first time.
    fn metadata(&mut self, include_hidden: bool) -> Value {
        self.metadata_requests += 1;
        if self.metadata_requests == 1 {
            return json!({ "tables": [] });
        }
        if self.all("table").is_empty() {
            self.sync();
        }
        let with_fields = |table: &Value| {
            let of = |field: &&Value| field["table"] == table["name"];
            let fields: Vec<&Value> = self.all("field").into_iter().filter(of).collect();
            let mut table = table.clone();
            table["fields"] = json!(fields);
            table
        };
        let tables: Vec<Value> = self
            .all("table")
            .into_iter()
            .filter(|table| include_hidden || table["visibility_type"].is_null())
            .map(with_fields)
            .collect();
        json!({ "tables": tables })
    }

    /// Adds the pipeline's tables: views without keys, and the partitions of a release.
    fn sync(&mut self) {
        const TABLES: [(&str, &[&str]); 9] = [
            (
                "covid_case",
                &[
                    "case_id",
                    "registered_on",
                    "classification",
                    "age",
                    "sex",
                    "died_on",
                    "symptoms_on",
                    "residence_province_id",
                    "residence_department_id",
                    "registration_province_id",
                ],
            ),
            ("province", &["province_id", "name"]),
            ("department", &["department_id", "name", "province_id"]),
            ("dose_count", &["residence_province_id", "residence_department_id"]),
            ("dose_application_count", &["application_province_id", "application_department_id"]),
            ("pipeline_run", &["run_id"]),
            ("release_case", &["case_id"]),
            ("release_case_1", &["case_id"]),
            ("theirs", &["id"]),
        ];
        for (table, columns) in TABLES {
            self.add("table", json!({ "name": table, "visibility_type": null }));
            for column in columns {
                self.add(
                    "field",
                    json!({
                        "table": table, "name": column, "display_name": column, "description": null,
                        "semantic_type": null, "fk_target_field_id": null,
                    }),
                );
            }
        }
    }

    fn add(&mut self, kind: &str, mut thing: Value) {
        let id = self.next_id;
        self.next_id += 1;
        thing["id"] = json!(id);
        self.things.insert((kind.to_owned(), id), thing);
    }

    fn create(&mut self, kind: &str, body: &Value) -> Result<Value, String> {
        let id = self.next_id;
        self.next_id += 1;
        let mut thing = body.clone();
        thing["id"] = json!(id);
        thing["created_at"] = json!("2026-01-01T00:00:00Z");
        if kind == "card" {
            self.query_is_whole(&body["dataset_query"])?;
        }
        if kind == "database" {
            thing["details"]["password"] = json!("**MetabasePass**");
        }
        self.things.insert((kind.to_owned(), id), thing.clone());
        self.changes.push(format!("create {kind}"));
        Ok(thing)
    }

    fn change(&mut self, kind: &str, id: i64, body: &Value) -> Result<Value, String> {
        if kind == "card" {
            self.query_is_whole(&body["dataset_query"])?;
        }
        let cards: Vec<i64> = self.all("card").iter().filter_map(|card| card["id"].as_i64()).collect();
        for place in body["dashcards"].as_array().into_iter().flatten() {
            if !place["card_id"].as_i64().is_some_and(|card| cards.contains(&card)) {
                return Err(format!("no such card: {place}"));
            }
        }
        let thing = self.things.get_mut(&(kind.to_owned(), id)).ok_or("Not found.")?;
        let thing = thing.as_object_mut().ok_or("not an object")?;
        merge(thing, body);
        self.changes.push(format!("change {kind}"));
        Ok(Value::Object(thing.clone()))
    }

    /// Each `{{tag}}` of a native query must be declared, and each declared field must be known.
    fn query_is_whole(&self, query: &Value) -> Result<(), String> {
        let known =
            self.things.contains_key(&("database".to_owned(), query["database"].as_i64().unwrap_or(0)));
        if query["type"] != "native" || !known {
            return Err(format!("not a query of a known database: {query}"));
        }
        let sql = query["native"]["query"].as_str().ok_or("no query")?;
        let tags = query["native"]["template-tags"].as_object().cloned().unwrap_or_default();
        for tag in sql.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(tag, _)| tag) {
            let declared = tags.get(tag).ok_or_else(|| format!("{{{{{tag}}}}} is not declared"))?;
            let field = declared["dimension"][1].as_i64().unwrap_or(0);
            if declared["name"] != tag || !self.things.contains_key(&("field".to_owned(), field)) {
                return Err(format!("{tag} filters no field: {declared}"));
            }
        }
        Ok(())
    }
}

fn merge(thing: &mut Map<String, Value>, body: &Value) {
    for (key, value) in body.as_object().into_iter().flatten() {
        thing.insert(key.clone(), value.clone());
    }
}
