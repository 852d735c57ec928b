//! Presets, and scripts in files.

use capture_sandbox::{PRESETS, Script};
use serde_json::json;

use crate::world::World;

#[test]
fn presets_have_names_and_are_data() {
    for (name, _) in PRESETS {
        let preset = Script::preset(name).unwrap();
        assert_ne!(preset, Script::default(), "{name}");
        let written = serde_json::to_string(&preset).unwrap();
        assert_eq!(Script::from_json(&written).unwrap(), preset, "{written}");
        let by_name = json!({ "preset": name, "seed": 7 }).to_string();
        assert_eq!(Script::from_json(&by_name).unwrap(), preset.seed(7));
    }
    let error = Script::preset("choas").unwrap_err().to_string();
    assert!(
        error.starts_with(
            r#"preset "choas": no preset has this name; the presets are lost-reply, "#
        )
    );
    let more = r#"{"preset":"lost-reply","rules":[{"do":{"delay_ms":1}}]}"#;
    let written = serde_json::to_string(&Script::from_json(more).unwrap()).unwrap();
    assert_eq!(
        written,
        r#"{"rules":[{"on":{"operation":"capture"},"skip":0,"times":1,"do":{"effect":true,"close":true}},{"on":{},"skip":0,"times":1,"do":{"delay_ms":1}}]}"#
    );
}

#[test]
fn what_a_preset_does() {
    for (name, statuses, captures) in [
        ("lost-reply", [0, 200, 200], 1),
        ("504-but-captured", [504, 200, 200], 1),
        ("frozen-500", [500, 500, 500], 0),
        ("slow-lookup", [200, 200, 200], 1),
        ("token-storm", [401, 401, 401], 0),
    ] {
        let mut world = World::new();
        let order = world.order("1.00");
        world.sandbox.script(Script::preset(name).unwrap());
        let found = [0; 3].map(|_| {
            let reply = world.capture(order, 1, "1.00");
            reply.response().map_or(0, |response| response.status().as_u16())
        });
        assert_eq!((found, world.captures(order)), (statuses, captures), "{name}");
        let lookup = world.request(http::Method::GET, &format!("/v1/orders/{order}"), "");
        let delay = world.send(&lookup).delay;
        assert_eq!(delay.as_secs(), if name == "slow-lookup" { 5 } else { 0 });
    }
    let run = |seed| {
        let mut world = World::new();
        world.sandbox.script(Script::preset("chaos").unwrap().seed(seed));
        let orders: Vec<_> = (0..200).map(|_| world.order("1.00")).collect();
        for order in &orders {
            let _ = world.capture(*order, 1, "1.00");
        }
        let shown = |seen: &capture_sandbox::Exchange| format!("{:?} {:?}", seen.sent, seen.script);
        world.sandbox.transcript().map(shown).collect::<Vec<_>>()
    };
    let chaos = run(1);
    assert_eq!(chaos, run(1));
    assert_ne!(chaos, run(2));
    let faults = chaos.iter().filter(|seen| seen.contains("Some")).count();
    assert!((80..160).contains(&faults), "{faults}");
}

#[test]
fn an_error_in_a_script_file_names_the_place() {
    let rule = |act: &str| format!(r#"{{"rules":[{{"do":{{}}}},{{"do":{act}}}]}}"#);
    let on = |on: &str| format!(r#"{{"rules":[{{"on":{on},"do":{{}}}}]}}"#);
    for (written, why) in [
        ("{".to_owned(), r#"script ".": EOF"#),
        ("{} x".into(), "missing field `rules`, `handshakes` or `preset`"),
        (r#"{"rules":[]} x"#.into(), "trailing characters"),
        (r#"{"preset":"x"}"#.into(), r#"preset "x": no preset has this name"#),
        (r#"{"rules":[],"seed":-1}"#.into(), r#"script "seed": invalid value: integer `-1`"#),
        (rule(r#"{"status":"500"}"#), r#"script "rules[1].do.status": invalid type: string "500""#),
        (rule(r#"{"status":199,"effect":true}"#), r#"script "rules[1].do": `status` 199 must"#),
        (rule(r#"{"close":"midway","effect":true}"#), "unknown variant `midway`"),
        (rule(r#"{"close":7,"effect":true}"#), "expected true, or where: before-reading"),
        (rule(r#"{"close":true,"reset":true,"effect":true}"#), "both `close` and `reset`"),
        (rule(r#"{"goaway":true,"hang":true,"effect":true}"#), "both `hang` and `goaway`"),
        (rule(r#"{"close":true,"code":"cancel","effect":true}"#), "`code` needs `rst_stream`"),
        (rule(r#"{"rst_stream":true,"last_stream":"this","effect":true}"#), "needs `goaway`"),
        (rule(r#"{"goaway":true,"code":"nice","effect":true}"#), "unknown variant `nice`"),
        (rule(r#"{"close":"before-reading","effect":true}"#), "`effect`: true needs a request"),
        (rule(r#"{"close":"mid-body","effect":false}"#), "leaves no reply to send a part of"),
        (rule(r#"{"close":true,"effect":true,"members":"upper"}"#), "`members` changes a reply"),
        (
            rule(r#"{"close":true,"effect":true,"drip":{"bytes":1,"every_ms":1}}"#),
            "`drip` is about",
        ),
        (rule(r#"{"drip":{"bytes":0,"every_ms":1}}"#), "`bytes` 0"),
        (rule(r#"{"drip":{"bytes":1,"every_ms":60001}}"#), "`every_ms` 60001"),
        (rule(r#"{"stored":true}"#), "`stored` needs a `status`"),
        (rule(r#"{"raw":"x","status":200,"effect":true}"#), "both `status` and `raw`"),
        (rule(r#"{"raw":"x","framing":"chunked","effect":true}"#), "`raw` is sent as it is"),
        (rule(r#"{"raw":"x","close":"mid-head","effect":true}"#), "`raw` has no head"),
        (rule(r#"{"raw":"x"}"#), "`effect` is missing"),
        (rule(r#"{"framing":"x"}"#), r#"script "rules[1].do.framing": unknown variant `x`"#),
        (
            rule(r#"{"framing":"chunked","content_length":1}"#),
            "either `content_length` or `framing`",
        ),
        (rule(r#"{"status":200,"effect":true,"body":{"hex":"f"}}"#), "`hex` \"f\" must be pairs"),
        (on(r#"{"percent":0}"#), r#"script "rules[0].on.percent": `percent` 0 must be 1 to 100"#),
        (on(r#"{"percent":101}"#), "`percent` 101 must be 1 to 100"),
        (on(r#"{"request":"x"}"#), r#"script "rules[0].on.request": invalid type"#),
        (r#"{"rules":[{"times":0,"do":{}}]}"#.into(), "a number of requests from 1 on"),
        (r#"{"rules":[{"times":"ever","do":{}}]}"#.into(), r#"rules[0].times": invalid value"#),
    ] {
        let error = Script::from_json(&written).unwrap_err().to_string();
        assert!(error.contains(why), "{written}: {error}");
    }
}
