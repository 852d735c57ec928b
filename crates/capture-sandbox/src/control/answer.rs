//! The answer to a request below `/_sandbox/`, which needs no token.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use capture_core::wire::{Response, date};
use http::{HeaderValue, Request, StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::api::routes::{self, Control, Miss, ROUTES, Target};
use crate::api::{prefers_html, replies};
use crate::control::reply::{Refusal, done, ok, read};
use crate::control::{claims, orders, page, settings};
use crate::faults::Script;
use crate::sandbox::Sandbox;
use crate::world::clock;

/// The description of the API and of this surface.
const OPENAPI: &str = include_str!("openapi.json");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockBody {
    advance_seconds: u64,
}

/// The answer; `now` is the caller's time.
pub(crate) fn answer(sandbox: &mut Sandbox, request: &Request<Bytes>, now: SystemTime) -> Response {
    let mut response = match routes::find(request.method(), request.uri().path()) {
        Ok((Target::Control(control), id)) => {
            let answer = perform(sandbox, control, id, request, now);
            answer.unwrap_or_else(|refusal| refusal.reply())
        }
        Ok((Target::Api(_), _)) | Err(Miss::Path) => {
            Refusal::new(StatusCode::NOT_FOUND, "no such path; see GET /_sandbox/").reply()
        }
        Err(Miss::Method(allowed)) => {
            let why = "wrong method; see GET /_sandbox/";
            let mut response = Refusal::new(StatusCode::METHOD_NOT_ALLOWED, why).reply();
            response.headers_mut().insert(header::ALLOW, allowed);
            response
        }
    };
    const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    response
}

fn perform(
    sandbox: &mut Sandbox,
    control: Control,
    id: &str,
    request: &Request<Bytes>,
    now: SystemTime,
) -> Result<Response, Refusal> {
    let body = request.body();
    Ok(match control {
        Control::Index if prefers_html(request.headers()) => page::reply(sandbox, now),
        Control::Index => index(),
        Control::OpenApi => replies::json(StatusCode::OK, Bytes::from_static(OPENAPI.as_bytes())),
        Control::Orders => orders::list(sandbox, now),
        Control::CreateOrder => orders::create(sandbox, body, now)?,
        Control::SetStatus => orders::set_status(sandbox, id, body, now)?,
        Control::Summary => ok(&sandbox.summary(now)),
        Control::Ledger => ok(sandbox.ledger()),
        Control::Transcript => {
            let requests: Vec<_> = sandbox.transcript().collect();
            ok(&json!({ "requests": requests }))
        }
        Control::Script => ok(&sandbox.rules()),
        Control::AddScript => {
            let script: Script = read(body)?;
            if !sandbox.rules.has_room(&script) {
                return Err(Refusal::full());
            }
            sandbox.script(script);
            done()
        }
        Control::ClearScript => {
            sandbox.clear_script();
            done()
        }
        Control::Clock => time(sandbox, now),
        Control::Advance => {
            let body: ClockBody = read(body)?;
            sandbox.advance(Duration::from_secs(body.advance_seconds));
            time(sandbox, now)
        }
        Control::Settings => settings::show(&sandbox.world.settings),
        Control::ChangeSettings => settings::change(&mut sandbox.world.settings, body)?,
        Control::Claims => claims::list(sandbox),
        Control::Claim => claims::record(sandbox, body, now)?,
        Control::Audit => ok(&sandbox.audit(now)),
        Control::Reset => {
            sandbox.reset();
            done()
        }
    })
}

/// The routes of the API and of this surface.
fn index() -> Response {
    let (mut api, mut control) = (Map::new(), Map::new());
    for route in &ROUTES {
        let list = match route.target {
            Target::Api(_) => &mut api,
            Target::Control(_) => &mut control,
        };
        list.insert(route.to_string(), Value::from(route.what));
    }
    ok(&json!({ "api": api, "sandbox": control }))
}

fn time(sandbox: &Sandbox, now: SystemTime) -> Response {
    let now = sandbox.world.time(now);
    ok(&json!({ "now": date::write(now), "now_ms": clock::millis(now) }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::api::routes::Route;
    use crate::faults::PRESETS;
    use crate::world::Settings;

    fn described() -> Value {
        serde_json::from_str(OPENAPI).unwrap()
    }

    #[test]
    fn every_route_is_described_and_every_description_is_a_route() {
        let described = described();
        let mut found = BTreeSet::new();
        for (path, methods) in described["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                found.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
        let routes: BTreeSet<_> = ROUTES.iter().map(Route::to_string).collect();
        assert_eq!(found, routes);

        for route in &ROUTES {
            let path = route.path.replace("{id}", "5f1a3c5e-7c1d-4e0b-9d6a-0c4f5b6a7d81");
            let request = Request::builder().method(&route.method).uri(&path);
            let request = request.header("host", "localhost").body(Bytes::new()).unwrap();
            let mut sandbox = Sandbox::new(Settings::default());
            let reply = sandbox.handle(&request, SystemTime::UNIX_EPOCH);
            let status = reply.response().unwrap().status().as_u16();
            assert!(matches!(status, 200 | 400 | 401 | 415), "{route}: {status}");
        }
    }

    #[test]
    fn every_reference_in_the_description_resolves() {
        fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
            match value {
                Value::Object(members) => {
                    found.extend(members.get("$ref").and_then(Value::as_str));
                    members.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let described = described();
        let mut found = Vec::new();
        references(&described, &mut found);
        assert!(found.len() > 100);
        for reference in found {
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(described.pointer(pointer).is_some(), "{reference}");
        }
        let presets = &described["components"]["schemas"]["Script"]["properties"]["preset"]["enum"];
        assert_eq!(*presets, json!(PRESETS.map(|(name, _)| name)));
    }
}
