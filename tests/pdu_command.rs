//! `simpost pdu` and `simpost at` as their users meet them: the real binary, lines in, lines out.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test's helpers fail as its body does"
)]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

fn simpost(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simpost"));
    command.args(arguments).env_clear();
    command
}

/// Exit code, stdout, stderr.
fn ran(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = simpost(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// The line that one PDU becomes.
fn decoded(arguments: &[&str]) -> String {
    let all: Vec<&str> = ["pdu", "decode", "--json"]
        .iter()
        .chain(arguments)
        .copied()
        .collect();
    ran(&all).1.trim_end().to_owned()
}

/// A command as a filter, a line at a time.
struct Filter {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Filter {
    fn start(arguments: &[&str]) -> Self {
        let mut child = simpost(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    fn say(&mut self, line: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(line).unwrap();
        input.write_all(b"\n").unwrap();
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    fn ask(&mut self, line: &[u8]) -> Value {
        self.say(line);
        let answer = self.hear();
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{answer:?}"))
    }

    /// The most memory that it ever held, in KiB.
    fn memory(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
        number.unwrap().parse().unwrap()
    }

    /// Closes its input; its exit code and what is left of its output.
    fn end(mut self) -> (Option<i32>, String, String) {
        drop(self.input.take());
        let (mut rest, mut errors) = (String::new(), String::new());
        self.output.read_to_string(&mut rest).unwrap();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut errors).unwrap();
        (self.child.wait().unwrap().code(), rest, errors)
    }
}

/// Kind (empty: by the type bits), hex, the line as it is printed.
const GOLDEN: &[(&str, &str, &str)] = &[
    (
        "",
        "0791447700099099040C9144770009406500006230414003000A0453EA130A",
        r#"{"type":"deliver","smsc":"+447700900999","sender":"+447700900456","text":"STOP","alphabet":"gsm7","udl":4,"timestamp":"2026-03-14T04:30:00-05:00","pid":0,"dcs":0,"rp":false}"#,
    ),
    (
        "",
        "0071000C914477000910320000A7090500035A02019069",
        r#"{"type":"submit","recipient":"+447700900123","text":"Hi","alphabet":"gsm7","udl":9,"udh":[{"hex":"5A0201","iei":0}],"concat":{"reference":90,"sequence":1,"total":2},"mr":0,"pid":0,"dcs":0,"srr":true,"rd":false,"rp":false,"vp":167,"validity_minutes":1440}"#,
    ),
    (
        "submit",
        "0019000C91447700091032000462304101512380024869",
        r#"{"type":"submit","recipient":"+447700900123","data_hex":"4869","alphabet":"8bit","udl":2,"mr":0,"pid":0,"dcs":4,"srr":false,"rd":false,"rp":false,"vp":"62304101512380","validity_until":"2026-03-14T10:15:32+02:00"}"#,
    ),
    (
        "",
        "079144770009909906170C91447700091032623041015123006230410151730000",
        r#"{"type":"status_report","smsc":"+447700900999","recipient":"+447700900123","timestamp":"2026-03-14T10:15:32+00:00","discharge":"2026-03-14T10:15:37+00:00","mr":23,"status":0,"status_class":"delivered"}"#,
    ),
    (
        "",
        "0006170C9144770009103262304101512300623041015173000007000402",
        r#"{"type":"status_report","recipient":"+447700900123","timestamp":"2026-03-14T10:15:32+00:00","discharge":"2026-03-14T10:15:37+00:00","mr":23,"status":0,"status_class":"delivered","pid":0,"dcs":4,"cut":{"code":"too_short","message":"the octets end inside TP-UD, 2 missing","octet":30}}"#,
    ),
    (
        "submit_report",
        "0001D5016230410151230000",
        r#"{"type":"submit_report","fcs":213,"timestamp":"2026-03-14T10:15:32+00:00","pid":0}"#,
    ),
    (
        "deliver-report",
        "0000D307000402C834",
        r#"{"type":"deliver_report","fcs":211,"data_hex":"C834","alphabet":"8bit","udl":2,"pid":0,"dcs":4}"#,
    ),
    (
        "command",
        "0002050002170C9144770009103203AABBCC",
        r#"{"type":"command","recipient":"+447700900123","data_hex":"AABBCC","mr":5,"ct":2,"mn":23,"pid":0,"srr":false}"#,
    ),
    // More octets than TP-UDL says.
    (
        "",
        "0004028121000062304101512300010000",
        r#"{"type":"deliver","sender":"12","text":"@","alphabet":"gsm7","udl":1,"timestamp":"2026-03-14T10:15:32+00:00","pid":0,"dcs":0,"rp":false,"behind_hex":"00"}"#,
    ),
    // Ports and a message class; waiting messages and a broken zone; a date of zeros.
    (
        "",
        "00440B817007900021F300F662304101512300090605040B8415B3ABCD",
        r#"{"type":"deliver","sender":"07700900123","data_hex":"ABCD","alphabet":"8bit","udl":9,"udh":[{"hex":"0B8415B3","iei":5}],"ports":{"destination":2948,"source":5555},"timestamp":"2026-03-14T10:15:32+00:00","class":2,"pid":0,"dcs":246,"rp":false}"#,
    ),
    (
        "",
        "00440C914477000940650008623041015123F4090401028005D83DDE00",
        r#"{"type":"deliver","sender":"+447700900456","text":"😀","alphabet":"ucs2","udl":9,"udh":[{"hex":"8005","iei":1}],"timestamp":"2026-03-14T10:15:32","timestamp_hex":"623041015123F4","pid":0,"dcs":8,"rp":false,"message_waiting":{"count":5,"mailbox":"voice","store":true,"waiting":true},"marks":[{"code":"time","message":"TP-SCTS is no time, or has no zone","octet":12}]}"#,
    ),
    (
        "",
        "00040281210000000000000000000131",
        r#"{"type":"deliver","sender":"12","text":"1","alphabet":"gsm7","udl":1,"timestamp_hex":"00000000000000","pid":0,"dcs":0,"rp":false,"marks":[{"code":"time","message":"TP-SCTS is no time, or has no zone","octet":7}]}"#,
    ),
    // Every field that its kind can have.
    (
        "",
        "0791447700099099C40C91447700094065411162304101512380181200035A020105040B8415B30102800524010120D300",
        r#"{"type":"deliver","smsc":"+447700900999","sender":"+447700900456","text":"Hi","alphabet":"gsm7","udl":24,"udh":[{"hex":"5A0201","iei":0},{"hex":"0B8415B3","iei":5},{"hex":"8005","iei":1},{"hex":"01","iei":36}],"concat":{"reference":90,"sequence":1,"total":2},"ports":{"destination":2948,"source":5555},"timestamp":"2026-03-14T10:15:32+02:00","class":1,"pid":65,"dcs":17,"rp":true,"message_waiting":{"count":5,"mailbox":"voice","store":true,"waiting":true},"behind_hex":"00"}"#,
    ),
    (
        "",
        "0791447700099099ED070C9144770009103200F6022D0000000000080605040B8415B341",
        r#"{"type":"submit","smsc":"+447700900999","recipient":"+447700900123","data_hex":"41","alphabet":"8bit","udl":8,"udh":[{"hex":"0B8415B3","iei":5}],"ports":{"destination":2948,"source":5555},"mr":7,"class":2,"pid":0,"dcs":246,"srr":true,"rd":true,"rp":true,"vp":"022D0000000000","validity_seconds":45}"#,
    ),
    (
        "",
        "079144770009909946170C9144770009103262304101512300623041015173F40007000406040402F0F141",
        r#"{"type":"status_report","smsc":"+447700900999","recipient":"+447700900123","timestamp":"2026-03-14T10:15:32+00:00","discharge":"2026-03-14T10:15:37","discharge_hex":"623041015173F4","mr":23,"status":0,"status_class":"delivered","data_hex":"41","alphabet":"8bit","udl":6,"udh":[{"hex":"F0F1","iei":4}],"ports":{"destination":240,"source":241},"pid":0,"dcs":4,"marks":[{"code":"time","message":"TP-DT is no time, or has no zone","octet":25}]}"#,
    ),
    (
        "submit_report",
        "0001D50762304101512300000802004100",
        r#"{"type":"submit_report","fcs":213,"timestamp":"2026-03-14T10:15:32+00:00","text":"A","alphabet":"ucs2","udl":2,"pid":0,"dcs":8,"behind_hex":"00"}"#,
    ),
    (
        "deliver_report",
        "0040D307000406040402F0F141",
        r#"{"type":"deliver_report","fcs":211,"data_hex":"41","alphabet":"8bit","udl":6,"udh":[{"hex":"F0F1","iei":4}],"ports":{"destination":240,"source":241},"pid":0,"dcs":4}"#,
    ),
    (
        "command",
        "0062050002170C91447700091032060500035A0201",
        r#"{"type":"command","recipient":"+447700900123","data_hex":"0500035A0201","udh":[{"hex":"5A0201","iei":0}],"concat":{"reference":90,"sequence":1,"total":2},"mr":5,"ct":2,"mn":23,"pid":0,"srr":true}"#,
    ),
    // A name that poses as a number, behind a service centre of this network; a national number.
    (
        "",
        "03B921430412D02B1AED7683C17230180000623041015123000141",
        r#"{"type":"deliver","smsc":"1234","smsc_type":"network_specific","sender":"+447700900","sender_type":"alphanumeric","text":"A","alphabet":"gsm7","udl":1,"timestamp":"2026-03-14T10:15:32+00:00","pid":0,"dcs":0,"rp":false}"#,
    ),
    (
        "",
        "0001000BA17007091032F4000002C834",
        r#"{"type":"submit","recipient":"07709001234","recipient_type":"national","text":"Hi","alphabet":"gsm7","udl":2,"mr":0,"pid":0,"dcs":0,"srr":false,"rd":false,"rp":false}"#,
    ),
    (
        "submit",
        "0009000C914477000910320000422D0000000000024834",
        r#"{"type":"submit","recipient":"+447700900123","text":"Hh","alphabet":"gsm7","udl":2,"mr":0,"pid":0,"dcs":0,"srr":false,"rd":false,"rp":false,"vp":"422D0000000000","validity_seconds":45,"single_shot":true}"#,
    ),
    // Several mailboxes, one of video; kept, since the coding says so.
    (
        "",
        "004402812100D8623041015123000B08010200050102270200",
        r#"{"type":"deliver","sender":"12","text":"","alphabet":"gsm7","udl":11,"udh":[{"hex":"0005","iei":1},{"hex":"2702","iei":1}],"timestamp":"2026-03-14T10:15:32+00:00","pid":0,"dcs":216,"rp":false,"message_waiting":{"count":5,"mailbox":"voice","store":true,"waiting":true},"more_waiting":[{"count":2,"extended_type":1,"mailbox":"other","profile":2,"store":true,"waiting":true}]}"#,
    ),
    // Fillers among the digits, and a spare bit that is set.
    (
        "",
        "00040691F1F2F3000062304101512300018B",
        r#"{"type":"deliver","sender":"+123","text":"Ø","alphabet":"gsm7","udl":1,"timestamp":"2026-03-14T10:15:32+00:00","pid":0,"dcs":0,"rp":false,"marks":[{"code":"filler","message":"a filler among the digits of TP-OA","octet":4},{"code":"spare_bits","message":"bits of TP-UD that say nothing are not as they should be","octet":17}]}"#,
    ),
    // A header that ends inside an element, a broken time of each kind, a minute and a half.
    (
        "",
        "00440C914477000940650004000000000000000A0800035A02017005AAFF",
        r#"{"type":"deliver","sender":"+447700900456","data_hex":"FF","alphabet":"8bit","udl":10,"udh":[{"hex":"5A0201","iei":0}],"udh_leftover_hex":"7005AA","timestamp_hex":"00000000000000","pid":0,"dcs":4,"rp":false,"marks":[{"code":"time","message":"TP-SCTS is no time, or has no zone","octet":12},{"code":"header_cut","message":"the user data header ends inside an element: none of it counts","octet":26}]}"#,
    ),
    (
        "",
        "0006170C9144770009103200000000000000623041015173F430",
        r#"{"type":"status_report","recipient":"+447700900123","timestamp_hex":"00000000000000","discharge":"2026-03-14T10:15:37","discharge_hex":"623041015173F4","mr":23,"status":48,"status_class":"trying","marks":[{"code":"time","message":"TP-SCTS is no time, or has no zone","octet":11},{"code":"time","message":"TP-DT is no time, or has no zone","octet":18}]}"#,
    ),
    (
        "submit",
        "0009000C91447700091032000003001003000000024834",
        r#"{"type":"submit","recipient":"+447700900123","text":"Hh","alphabet":"gsm7","udl":2,"mr":0,"pid":0,"dcs":0,"srr":false,"rd":false,"rp":false,"vp":"03001003000000","validity_minutes":1,"validity_seconds":90}"#,
    ),
    (
        "command",
        "0002050002170C9144770009103200",
        r#"{"type":"command","recipient":"+447700900123","mr":5,"ct":2,"mn":23,"pid":0,"srr":false}"#,
    ),
];

/// The words that the help of `decode` puts before its explanations.
fn names_in_help() -> Vec<String> {
    let help = ran(&["pdu", "decode", "--help"]).1;
    let lines = help.lines().skip_while(|line| !line.starts_with("JSON"));
    let lines = lines.skip(1).take_while(|line| !line.is_empty());
    let heads = lines.map(|line| &line[..20]);
    let names: String = heads.collect::<Vec<_>>().join(",");
    let names = names.split([',', ' ']).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

#[test]
fn the_help_names_every_field_and_no_other() {
    let mut named = names_in_help();
    // Told in the same line.
    named.push("discharge_hex".into());
    named.sort();
    let mut seen = vec!["error".to_owned()];
    for (_, _, expected) in GOLDEN {
        let fields: Value = serde_json::from_str(expected).unwrap();
        seen.extend(fields.as_object().unwrap().keys().cloned());
    }
    seen.sort();
    seen.dedup();
    assert_eq!(named, seen);
}

#[test]
fn help_has_examples_and_fits_a_terminal() {
    for command in [["pdu", "decode"], ["pdu", "encode"], ["at", "parse"]] {
        let help = ran(&[&command[..], &["--help"]].concat()).1;
        let (_, examples) = help.split_once("\nExamples:\n").unwrap();
        let command = format!("simpost {}", command.join(" "));
        assert_eq!(examples.matches(&command).count(), 2, "{help}");
        let wide = help.lines().find(|line| line.chars().count() > 100);
        assert_eq!(wide, None, "{command}");
    }
}

#[test]
fn every_kind_of_pdu_as_json() {
    for (kind, hex, expected) in GOLDEN {
        let kind = ["--kind", kind];
        let kind = if kind[1].is_empty() {
            &[][..]
        } else {
            &kind[..]
        };
        let decode = |more: &[&str], hex: &str| decoded(&[kind, more, &[hex]].concat());
        assert_eq!(decode(&[], hex), *expected, "{hex}");
        // Lower case, and without the service centre's address.
        assert_eq!(decode(&[], &hex.to_lowercase()), *expected, "{hex}");
        if let Some(tpdu) = hex
            .strip_prefix("00")
            .filter(|_| !expected.contains("octet"))
        {
            assert_eq!(decode(&["--no-smsc"], tpdu), *expected, "{hex}");
        }
    }
}

/// What JSON says of a vector whose fields are written for the library.
fn expected(fields: &Value) -> Value {
    let mut expected = fields.clone();
    let object = expected.as_object_mut().unwrap();
    // First octet and form of validity in full are for the picture.
    for untold in ["mms", "lp", "sri", "srq", "single_shot", "message_waiting"] {
        object.remove(untold);
    }
    object.retain(|_, value| !value.is_null());
    // A command without data has no such field.
    if object.get("data_hex") == Some(&json!("")) {
        object.remove("data_hex");
    }
    if let Some(class) = object.get_mut("status_class") {
        *class = json!(class.as_str().unwrap().to_lowercase());
    }
    if object.get("alphabet") == Some(&json!("8bit")) {
        let data = object.remove("text").unwrap();
        object.insert("data_hex".into(), data);
    }
    expected
}

#[test]
fn every_vector_has_its_fields() {
    let vectors = [
        include_str!("vectors/pdu.json"),
        include_str!("vectors/fields.json"),
    ];
    for vectors in vectors {
        let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
        for vector in &vectors {
            let kind = vector["kind"].as_str().map(|kind| format!("--kind={kind}"));
            let arguments: Vec<&str> = kind
                .iter()
                .map(String::as_str)
                .chain(vector["pdu"].as_str())
                .collect();
            let decoded: Value = serde_json::from_str(&decoded(&arguments)).unwrap();
            for (field, value) in expected(&vector["fields"]).as_object().unwrap() {
                assert_eq!(&decoded[field], value, "{} {field}", vector["name"]);
            }
        }
    }
}

/// Line, code, octet.
const HOSTILE: &[(&[u8], &str, Option<u64>)] = &[
    (b"", "too_short", Some(0)),
    (b"\r", "too_short", Some(0)),
    (b"0", "half_octet", Some(0)),
    (b"079", "half_octet", Some(1)),
    (b"zz", "not_hex", Some(0)),
    (b"07 91", "not_hex", Some(1)),
    (b"+CMT: ,24", "not_hex", Some(0)),
    (b"\xff\xfe\0", "not_hex", Some(0)),
    ("００".as_bytes(), "not_hex", Some(0)),
    (b"00", "too_short", Some(1)),
    (b"07914477", "too_short", Some(4)),
    (b"FF91447700099099", "address_too_long", Some(0)),
    (b"000415", "address_too_long", Some(2)),
    (
        b"00040C91447700094065000062304140030000A1",
        "user_data_too_long",
        Some(19),
    ),
    (
        b"00440C914477000940650000623041400300000AFF00030102010000000000",
        "header_too_long",
        Some(20),
    ),
    (
        b"0791447700099099040C91447700094065000062304140030000045",
        "half_octet",
        Some(27),
    ),
    (
        b"0791447700099099040C914477000940650000623041400300000453EA",
        "too_short",
        Some(29),
    ),
];

#[test]
fn hostile_lines_have_their_error_and_the_next_line_its_answer() {
    let mut filter = Filter::start(&["pdu", "decode", "--json", "-"]);
    for (line, code, octet) in HOSTILE {
        let error = &filter.ask(line)["error"];
        let shown = String::from_utf8_lossy(line);
        assert_eq!(
            (&error["code"], error["octet"].as_u64()),
            (&json!(code), *octet),
            "{shown}"
        );
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|words| !words.is_empty()),
            "{shown}"
        );
        let (_, hex, expected) = GOLDEN[0];
        filter.say(hex.as_bytes());
        assert_eq!(filter.hear(), expected);
    }
    let endless = "0".repeat(3 << 20);
    assert_eq!(
        filter.ask(endless.as_bytes())["error"]["code"],
        "line_too_long"
    );
    // A last line without an end counts.
    filter.input.as_mut().unwrap().write_all(b"zz").unwrap();
    let (code, rest, errors) = filter.end();
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert_eq!(rest.lines().count(), 1, "{rest}");
    assert!(rest.contains("not_hex"), "{rest}");
}

#[test]
fn every_vector_cut_at_every_octet_has_an_answer() {
    let mut filter = Filter::start(&["pdu", "decode", "--json"]);
    for (_, hex, _) in GOLDEN {
        for length in 0..hex.len() {
            let answer = filter.ask(&hex.as_bytes()[..length]);
            let error = answer.get("error");
            let octet = error.and_then(|error| error["octet"].as_u64());
            // A status report without its optional fields is whole.
            assert!(octet.is_some() || answer.get("type").is_some(), "{answer}");
            assert!(octet.is_none_or(|octet| octet <= length as u64), "{answer}");
        }
    }
    assert_eq!(filter.end().0, Some(0));
}

#[test]
fn a_hundred_thousand_lines_in_flat_memory() {
    let mut filter = Filter::start(&["pdu", "decode", "--json", "-"]);
    let mut memory = 0;
    for block in 0..100 {
        for number in 0..1000_usize {
            let (_, hex, expected) = GOLDEN[[0, 1, 3, 8, 9][number % 5]];
            let line = if number % 7 == 0 { "zz" } else { hex };
            filter.say(line.as_bytes());
            let answer = filter.hear();
            assert!(if number % 7 == 0 {
                answer.starts_with("{\"error\"")
            } else {
                answer == expected
            });
        }
        if block == 0 {
            memory = filter.memory();
        }
    }
    let grown = filter.memory() - memory;
    assert!(grown < 1024, "{memory} KiB grew by {grown}");
    assert_eq!(filter.end(), (Some(0), String::new(), String::new()));
}

#[test]
fn whoever_has_read_enough_is_no_error() {
    for arguments in [["pdu", "decode"], ["pdu", "encode"], ["at", "parse"]] {
        let mut filter = Filter::start(&[&arguments[..], &["--json", "-"]].concat());
        filter.say(b"zz");
        filter.hear();
        // Its reader goes; it notices at its next line.
        let mut input = filter.input.take().unwrap();
        let mut child = filter.child;
        drop(filter.output);
        for _ in 0..10 {
            let _ = input.write_all(b"zz\n");
        }
        drop(input);
        let mut errors = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut errors)
            .unwrap();
        assert_eq!(
            (child.wait().unwrap().code(), errors.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
    }
}

/// Wishes, and what the PDUs that come out say.
fn wishes() -> Vec<(Value, Value)> {
    let to = "+447700900123";
    vec![
        (
            json!({"to": to, "text": "Order 1042 is ready", "srr": true}),
            json!({"recipient": to, "text": "Order 1042 is ready", "alphabet": "gsm7", "srr": true, "vp": 167, "mr": 0, "rd": false}),
        ),
        (
            json!({"to": "3400", "text": "Hi", "encoding": "ucs2", "class": 0, "mr": 7, "rd": true, "smsc": "+447700900999", "vp": 3}),
            json!({"recipient": "3400", "text": "Hi", "alphabet": "ucs2", "class": 0, "mr": 7, "rd": true, "smsc": "+447700900999", "validity_minutes": 20}),
        ),
        (
            json!({"to": to, "text": "İyi günler ğüşıç", "encoding": "gsm7", "single": 1, "validity_minutes": 61}),
            json!({"text": "İyi günler ğüşıç", "alphabet": "gsm7", "udh": [{"iei": 0x24, "hex": "01"}], "validity_minutes": 60}),
        ),
        (
            json!({"to": to, "text": "İyi günler ğüşıç", "encoding": "gsm7", "single": 1, "locking": 1, "ref": 7}),
            json!({"text": "İyi günler ğüşıç", "alphabet": "gsm7", "udh": [{"iei": 0x25, "hex": "01"}, {"iei": 0x24, "hex": "01"}]}),
        ),
        (
            json!({"to": to, "text": "Hi", "encoding": "8bit", "validity_until": "2026-03-14T10:15:32+02:00"}),
            json!({"data_hex": "4869", "alphabet": "8bit", "validity_until": "2026-03-14T10:15:32+02:00"}),
        ),
        (
            json!({"to": to, "text": "Замовлення 1042 готове 🎉", "class": 1, "encoding": "auto"}),
            json!({"text": "Замовлення 1042 готове 🎉", "alphabet": "ucs2", "class": 1}),
        ),
        (
            json!({"to": to, "text": "a€".repeat(300), "ref": 200}),
            json!({"text": "a€".repeat(300), "concat": {"reference": 200, "total": 6}}),
        ),
        (
            json!({"to": to, "text": "Є😀".repeat(100), "ref": 0x1234}),
            json!({"text": "Є😀".repeat(100), "concat": {"reference": 0x1234, "total": 5}}),
        ),
        (
            json!({"to": to, "text": "x".repeat(300), "encoding": "8bit", "ref": 9, "ref_bits": 16}),
            json!({"data_hex": "78".repeat(300), "concat": {"reference": 9, "total": 3}}),
        ),
    ]
}

/// Tables that are named may be used: they are where that saves a part, the first that saves it.
fn national_wishes() -> Vec<(Value, Value)> {
    let to = "+905551234567";
    vec![
        (
            json!({"to": to, "text": "İyi günler ğüşıç", "single": 1, "locking": 1}),
            json!({"text": "İyi günler ğüşıç", "alphabet": "ucs2"}),
        ),
        (
            json!({"to": to, "text": "Çok iyi ".repeat(9), "single": 1, "locking": 1, "encoding": "auto"}),
            json!({"text": "Çok iyi ".repeat(9), "alphabet": "gsm7", "udh": null}),
        ),
        (
            json!({"to": to, "text": "İyi gün ".repeat(9), "single": 1}),
            json!({"text": "İyi gün ".repeat(9), "alphabet": "gsm7", "udh": [{"iei": 0x24, "hex": "01"}]}),
        ),
        (
            json!({"to": to, "text": "İyi gün ".repeat(9), "locking": 1}),
            json!({"text": "İyi gün ".repeat(9), "alphabet": "gsm7", "udh": [{"iei": 0x25, "hex": "01"}]}),
        ),
        // One escape each is too much for one part.
        (
            json!({"to": to, "text": "ğışç".repeat(30), "single": 1, "locking": 1}),
            json!({"text": "ğışç".repeat(30), "alphabet": "gsm7", "udh": [{"iei": 0x25, "hex": "01"}]}),
        ),
        (
            json!({"to": to, "text": "ğЖ".repeat(40), "single": 1, "ref": 5}),
            json!({"text": "ğЖ".repeat(40), "alphabet": "ucs2", "concat": {"reference": 5, "total": 2}}),
        ),
    ]
}

#[test]
fn what_is_encoded_reads_back() {
    let mut encode = Filter::start(&["pdu", "encode", "--json", "-"]);
    let mut decode = Filter::start(&["pdu", "decode", "--json", "-"]);
    for (wish, expected) in wishes().into_iter().chain(national_wishes()) {
        let encoded = encode.ask(wish.to_string().as_bytes());
        let pdus = encoded["pdus"]
            .as_array()
            .unwrap_or_else(|| panic!("{encoded}"));
        assert_eq!(encoded["segments"], pdus.len(), "{wish}");
        let mut whole = Value::Null;
        for (sequence, (pdu, length)) in
            (1..).zip(pdus.iter().zip(encoded["tpdu_lengths"].as_array().unwrap()))
        {
            let pdu = pdu.as_str().unwrap();
            let smsc = 1 + usize::from_str_radix(&pdu[..2], 16).unwrap();
            assert_eq!(pdu.len() / 2 - smsc, *length, "{wish}");
            let mut part = decode.ask(pdu.as_bytes());
            assert_eq!(part["alphabet"], encoded["alphabet"], "{wish}");
            if let Some(concat) = part.get_mut("concat").and_then(Value::as_object_mut) {
                assert_eq!(concat.remove("sequence"), Some(json!(sequence)), "{wish}");
            }
            if whole.is_null() {
                whole = part;
                continue;
            }
            for field in ["text", "data_hex"] {
                if let Some(more) = part[field].as_str() {
                    whole[field] = json!(whole[field].as_str().unwrap().to_owned() + more);
                }
            }
        }
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(&whole[field], value, "{wish}: {field}");
        }
    }
}

/// A wish that cannot be carried out, and the code of its error.
const REFUSED: &[(&str, &str)] = &[
    ("", "bad_json"),
    ("[]", "bad_json"),
    (r#"{"to":"3400","text":"Hi","txet":1}"#, "bad_json"),
    (r#"{"to":"3400","text":"Hi","vp":256}"#, "bad_json"),
    (r#"{"text":"Hi"}"#, "missing"),
    (r#"{"to":"3400"}"#, "missing"),
    (r#"{"to":"+44x","text":"Hi"}"#, "bad_address"),
    (
        r#"{"to":"123456789012345678901","text":"Hi"}"#,
        "bad_address",
    ),
    (r#"{"to":"3400","text":"Hi","smsc":"?"}"#, "bad_address"),
    (r#"{"to":"3400","text":"Hi","smsc":""}"#, "bad_address"),
    (r#"{"to":"3400","text":"Hi","smsc":"+"}"#, "bad_address"),
    (r#"{"to":"3400","text":"Hi","smsc":"abc"}"#, "bad_address"),
    (r#"{"to":"3400","text":"Hi","smsc":"+44*1"}"#, "bad_address"),
    (r#"{"to":"3400","text":""}"#, "empty_text"),
    (r#"{"to":"3400","text":"","encoding":"8bit"}"#, "empty_text"),
    (r#"{"to":"3400","text":"Hi","class":4}"#, "bad_value"),
    (
        r#"{"to":"3400","text":"Hi","encoding":"utf8"}"#,
        "bad_value",
    ),
    (
        r#"{"to":"3400","text":"Hi","encoding":"ucs2","single":1}"#,
        "bad_value",
    ),
    (r#"{"to":"3400","text":"Hi","single":14}"#, "bad_value"),
    (r#"{"to":"3400","text":"Hi","locking":2}"#, "bad_value"),
    (
        r#"{"to":"3400","text":"Hi","ref":256,"ref_bits":8}"#,
        "bad_value",
    ),
    (r#"{"to":"3400","text":"Hi","ref_bits":7}"#, "bad_value"),
    (
        r#"{"to":"3400","text":"Hi","vp":1,"validity_minutes":60}"#,
        "bad_value",
    ),
    (
        r#"{"to":"3400","text":"Hi","validity_minutes":4}"#,
        "bad_value",
    ),
    (
        r#"{"to":"3400","text":"Hi","validity_until":"tomorrow"}"#,
        "bad_value",
    ),
    (
        r#"{"to":"3400","text":"Hi","validity_until":"2126-03-14T10:15:32Z"}"#,
        "bad_value",
    ),
    (
        r#"{"to":"3400","text":"Є","encoding":"gsm7"}"#,
        "not_in_alphabet",
    ),
];

#[test]
fn wishes_that_cannot_be_have_their_error() {
    let mut filter = Filter::start(&["pdu", "encode", "--json", "-"]);
    for (line, code) in REFUSED {
        let answer = filter.ask(line.as_bytes());
        assert_eq!(answer["error"]["code"], *code, "{line}: {answer}");
    }
    let long = json!({"to": "3400", "text": "a".repeat(255 * 153 + 1)}).to_string();
    assert_eq!(filter.ask(long.as_bytes())["error"]["code"], "too_long");
    let most = json!({"to": "3400", "text": "a".repeat(255 * 153)}).to_string();
    assert_eq!(filter.ask(most.as_bytes())["segments"], 255);
    assert_eq!(filter.end().0, Some(0));
}

/// A wish, what forced its alphabet, and the cheaper text.
const DEAR: &[(&str, &str, &str)] = &[
    (r#"{"to":"3400","text":"é €"}"#, "null", "null"),
    (
        r#"{"to":"3400","text":"– a – «"}"#,
        r#"[{"character":"–","first":0,"times":2},{"character":"«","first":6,"times":1}]"#,
        "null",
    ),
    (
        r#"{"to":"3400","text":"Замовлення 1042 готове до видачі. Заберіть його, будь ласка, до п'ятниці, 18:00."}"#,
        "54",
        r#"{"text":"Zamovlennia 1042 hotove do vydachi. Zaberit yoho, bud laska, do piatnytsi, 18:00.","by":"ukrainian","segments":1}"#,
    ),
    (
        r#"{"to":"3400","text":"Price – 10, price – 20, price – 30, price – 40, price – 50, price – 60, 70"}"#,
        r#"[{"character":"–","first":6,"times":6}]"#,
        r#"{"text":"Price - 10, price - 20, price - 30, price - 40, price - 50, price - 60, 70","by":"look_alikes","segments":1}"#,
    ),
    // A table that is allowed is chosen, and its characters are told.
    (
        r#"{"to":"3400","text":"İyi gün İyi gün İyi gün İyi gün İyi gün İyi gün İyi gün İyi gün İyi gün ","single":1}"#,
        r#"[{"character":"İ","first":0,"times":9}]"#,
        "null",
    ),
    // What was demanded is not forced.
    (
        r#"{"to":"3400","text":"–","encoding":"ucs2"}"#,
        "null",
        "null",
    ),
    (
        r#"{"to":"3400","text":"–","encoding":"8bit"}"#,
        "null",
        "null",
    ),
];

#[test]
fn what_makes_a_text_dear_is_told() {
    let mut filter = Filter::start(&["pdu", "encode", "--json", "-"]);
    for (wish, forced, cheaper) in DEAR {
        let encoded = filter.ask(wish.as_bytes());
        let forced: Value = serde_json::from_str(forced).unwrap();
        if let Some(count) = forced.as_u64() {
            let times = encoded["forced_by"].as_array().unwrap().iter();
            let times: u64 = times
                .map(|stranger| stranger["times"].as_u64().unwrap())
                .sum();
            assert_eq!(times, count, "{wish}");
        } else {
            assert_eq!(encoded["forced_by"], forced, "{wish}");
        }
        let cheaper: Value = serde_json::from_str(cheaper).unwrap();
        assert_eq!(encoded["cheaper"], cheaper, "{wish}");
    }
    drop(filter.end());
    let text = "Price – 10, price – 20, price – 30, price – 40, price – 50, price – 60, «70»\n";
    let (_, _, note) = ran(&["pdu", "encode", "--to", "3400", "--text", text]);
    let expected = "\
ucs2, 2 part(s)
not in the GSM 7-bit alphabet: – U+2013 6 times, « U+00AB, » U+00BB
cheaper (look-alikes), 1 part(s): Price - 10, price - 20, price - 30, price - 40, price - 50, price - 60, \"70\"\\n
";
    assert_eq!(note, expected);
}

#[test]
fn the_way_of_a_pdu_decides_its_kind() {
    const CASES: &[(&str, &str, &str)] = &[
        ("network", "010062304101512300", "submit_report"),
        (
            "network",
            "06170C91447700091032623041015123006230410151730000",
            "status_report",
        ),
        ("phone", "0000", "deliver_report"),
        ("phone", "01000C91447700091032000002C834", "submit"),
        ("phone", "02000002170C9144770009103200", "command"),
    ];
    for (from, hex, kind) in CASES {
        let told = decoded(&["--no-smsc", "--from", from, hex]);
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!(told["type"], *kind, "{from} {hex}");
        let picture = ran(&["pdu", "decode", "--no-smsc", "--from", from, hex]).1;
        let head = format!("SMS-{}, ", kind.to_uppercase().replace('_', "-"));
        assert!(picture.starts_with(&head), "{picture}");
    }
    let told: Value = serde_json::from_str(&decoded(&["--from", "phone", "0003"])).unwrap();
    assert_eq!(
        (&told["error"]["code"], &told["error"]["octet"]),
        (&json!("wrong_type"), &json!(1))
    );
    let both = ["pdu", "decode", "--from", "phone", "--kind", "submit", "00"];
    assert_eq!(ran(&both).0, Some(2));
}

#[test]
fn a_missing_service_centre_is_hinted_at() {
    let report = "06170C91447700091032623041015123006230410151730000";
    let error =
        |arguments: &[&str]| -> Value { serde_json::from_str(&decoded(arguments)).unwrap() };
    let told = error(&[report]);
    let hint = told["error"]["hint"].as_str();
    assert!(
        hint.is_some_and(|hint| hint.ends_with("--no-smsc")),
        "{told}"
    );
    for arguments in [&["zz"][..], &["--no-smsc", "04"], &["07914477"]] {
        let told = error(arguments);
        assert!(
            told["error"]["code"].is_string() && told["error"].get("hint").is_none(),
            "{told}"
        );
    }
}

#[test]
fn one_text_on_the_command_line() {
    let encode = |more: &[&str]| ran(&[&["pdu", "encode", "--to", "+447700900123"], more].concat());
    let (code, told, note) = encode(&["--text", "Order 1042 is ready", "--srr"]);
    let pdu = "0031000C914477000910320000A7134F39B92C07C5603419283D07C9CB61721E";
    assert_eq!((code, told), (Some(0), format!("AT+CMGS=31\n{pdu}\n")));
    assert_eq!(note, "gsm7, 1 part(s)\n");
    let (code, told, _) = encode(&["--text", "Order 1042 is ready", "--srr", "--json"]);
    let json = format!(
        "{{\"pdus\":[\"{pdu}\"],\"tpdu_lengths\":[31],\"alphabet\":\"gsm7\",\"segments\":1}}\n"
    );
    assert_eq!((code, told), (Some(0), json));
    let (code, told, note) = encode(&["--text", ""]);
    assert_eq!(
        (code, told.as_str(), note.as_str()),
        (Some(2), "", "error: the text is empty\n")
    );
    let (code, told, _) = encode(&["--text", "", "--json"]);
    assert_eq!(code, Some(2));
    assert!(
        told.starts_with("{\"error\":{\"code\":\"empty_text\""),
        "{told}"
    );
    for wrong in [
        &["--text", "Hi", "-"][..],
        &["--text", "Hi", "--smsc", ""],
        &["--text", "Hi", "--smsc", "+"],
        &["--text", "Hi", "--vp", "1", "--validity-minutes", "5"],
        &[],
    ] {
        assert_eq!(encode(wrong).0, Some(2), "{wrong:?}");
    }
    assert_eq!(ran(&["pdu", "decode", "--kind", "letter", "00"]).0, Some(2));
}

#[test]
fn a_picture_for_people() {
    let (code, told, _) = ran(&[
        "pdu",
        "decode",
        "0071000C914477000910320000A7090500035A02019069",
    ]);
    let expected = "\
SMS-SUBMIT, 23 octets
   0  00                                   SMSC           as stored on the SIM
   1  71                                   first octet    TP-RP 0, TP-UDHI 1, TP-SRR 1, TP-RD 0, TP-VPF 10, TP-MTI 01
   2  00                                   TP-MR          0
   3  0C 91 44 77 00 09 10 32              TP-DA          +447700900123 (international, telephone)
  11  00                                   TP-PID         ordinary short message
  12  00                                   TP-DCS         GSM 7-bit
  13  A7                                   TP-VP          1440 minutes
  14  09                                   TP-UDL         9 septets
  15  05                                   TP-UDHL        5
  16  00 03 5A 02 01                       TP-UDH         part 1 of 2, reference 90
  21  90 69                                TP-UD          Hi

";
    assert_eq!((code, told.as_str()), (Some(0), expected));
}

#[test]
fn a_picture_of_a_broken_pdu() {
    // As far as it goes, and where it ends.
    let (code, told, _) = ran(&["pdu", "decode", "00040C914477z"]);
    let expected = "\
SMS-DELIVER, 6 octets
   0  00                                   SMSC           as stored on the SIM
   1  04                                   first octet    TP-RP 0, TP-UDHI 0, TP-SRI 0, TP-LP 0, TP-MMS 1, TP-MTI 00
   2  0C 91 44 77                          TP-OA          (international, telephone)
error: octet 6: not a hexadecimal digit

";
    assert_eq!((code, told.as_str()), (Some(1), expected));
    // The service centre's address is missing.
    let report = "06170C91447700091032623041015123006230410151730000";
    let (code, told, _) = ran(&["pdu", "decode", report]);
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains("\nerror: ") && told.contains("--no-smsc\n"),
        "{told}"
    );
}

#[test]
fn a_picture_names_what_is_odd() {
    let (code, told, _) = ran(&["pdu", "decode", "00040691F1F2F300006230410151230001B1"]);
    let (_, odd) = told.split_once("TP-UD          1\n").unwrap();
    let expected = "\
odd: octet 4: a filler among the digits of TP-OA
odd: octet 17: bits of TP-UD that say nothing are not as they should be

";
    assert_eq!((code, odd), (Some(0), expected));
}

#[test]
fn a_picture_obeys_no_text_and_leaves_no_octet_out() {
    let (_, told, _) = ran(&[
        "pdu",
        "decode",
        "000402812100086230410151230008001B005B0032004A",
    ]);
    assert!(
        told.contains("\u{fffd}[2J") && !told.contains('\u{1b}'),
        "{told}"
    );
    for (kind, hex, _) in GOLDEN {
        let kind = format!("--kind={kind}");
        let kind = if kind.ends_with('=') {
            None
        } else {
            Some(kind.as_str())
        };
        let arguments: Vec<&str> = ["pdu", "decode"]
            .into_iter()
            .chain(kind)
            .chain([*hex])
            .collect();
        let (_, told, _) = ran(&arguments);
        let rows = told.lines().filter(|line| line.starts_with(' '));
        let columns = rows.map(|row| &row[6..row.len().min(42)]);
        let octets: String = columns.flat_map(str::split_whitespace).collect();
        assert_eq!(octets, *hex, "{told}");
    }
}

/// What a modem said, and its fields as they are printed.
const ANSWERS: &[(&str, &str)] = &[
    (
        r#"{"cmd":"+CSQ","kind":"response","lines":["+CSQ: 14,99"]}"#,
        r#"{"rssi":14,"ber":99,"dbm":-85}"#,
    ),
    (
        r#"{"cmd":"AT+CREG?","kind":"response","lines":["+CREG: 2,1,\"1A2B\",\"C3D0016\",7","OK"]}"#,
        r#"{"n":2,"stat":1,"lac":"1A2B","ci":"C3D0016","act":7}"#,
    ),
    (
        r#"{"cmd":"+COPS=?","kind":"response","lines":["+COPS: (2,\"Shop, Net\",\"SN\",\"00101\",0),,(0-4),(0,2)"]}"#,
        r#"{"operators":[{"stat":2,"name":"Shop, Net","plmn":"00101","act":0}]}"#,
    ),
    (
        r#"{"kind":"urc","lines":["+CDS: 25","06170C91447700091032623041015123006230410151730000"]}"#,
        r#"{"kind":"report","length":25,"pdu":"06170C91447700091032623041015123006230410151730000"}"#,
    ),
    (
        r#"{"kind":"urc","lines":["+CUSD: 0,\"Balance 12,50","UAH\",15"]}"#,
        r#"{"m":0,"text":"Balance 12,50\nUAH","dcs":15,"coding":"plain"}"#,
    ),
];

#[test]
fn answers_of_modems_as_fields() {
    let mut filter = Filter::start(&["at", "parse", "--json", "-"]);
    let result = filter.ask(br#"{"cmd":"+CMGS","kind":"final","lines":["OK"]}"#);
    assert_eq!(result, json!({"final": "OK"}));
    let refusal = filter.ask(br#"{"cmd":"+CMGS","kind":"final","lines":["+CMS ERROR: 38"]}"#);
    assert_eq!(
        (&refusal["final"], &refusal["code"]),
        (&json!("+CMS ERROR: 38"), &json!(38))
    );
    for (line, fields) in ANSWERS {
        filter.say(line.as_bytes());
        assert_eq!(filter.hear(), format!("{{\"fields\":{fields}}}"), "{line}");
    }
    for hostile in [
        "",
        "{}",
        "[1]",
        r#"{"cmd":"+CSQ","kind":"letter","lines":[]}"#,
    ] {
        let answer = filter.ask(hostile.as_bytes());
        assert_eq!(answer["error"]["code"], "bad_json", "{hostile}: {answer}");
    }
    let lost = filter.ask(br#"{"cmd":"+CSQ","kind":"response","lines":["RING"]}"#);
    assert_eq!(lost["error"]["code"], "not_understood", "{lost}");
    assert_eq!(filter.end(), (Some(0), String::new(), String::new()));
}
