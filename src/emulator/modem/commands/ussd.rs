//! `+CUSD` and the service of the network behind it.
//!
//! | code | answer |
//! |---|---|
//! | `*100#` | the balance |
//! | `*101#` | the balance in Ukrainian, which takes UCS-2 |
//! | `*111#` | a menu: 1 balance, 2 a question and thanks for the answer, 0 the end |
//! | `*161#` | the SIM's own number |
//! | `*555#` | the network's time-out, after 30 s |
//! | others | not supported |
//!
//! Source: TS 27.007, 7.15; TS 23.038, 5 (coding).

use std::time::{Duration, Instant};

use super::Answer;
use crate::emulator::modem::Modem;
use crate::emulator::modem::command_line::Form;
use crate::emulator::modem::manners::Coding;
use crate::emulator::modem::reply::{BAD_PARAMETERS, Fault, Reply, text};
use crate::emulator::modem::schedule::Later;
use crate::emulator::modem::text::{Charset, utf16};
use crate::sms::alphabet;
use crate::sms::pdu::{decode_hex, encode_hex};

pub(super) const TABLE: &[(&str, Answer)] = &[("+CUSD", service)];

/// "No network service" (TS 27.007, 9.2.1).
const NO_SERVICE: Fault = Fault::Equipment(30);
/// When the network's time-out is told.
const NETWORK_PATIENCE: Duration = Duration::from_secs(30);
/// The GSM alphabet, and UCS-2, as data coding schemes (TS 23.038, 5).
const GSM7: u8 = 15;
const UCS2: u8 = 72;

/// `<m>` of `+CUSD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Done = 0,
    Asks = 1,
    Ended = 2,
    Unsupported = 4,
    TimedOut = 5,
}

/// Where a client stands in the network's menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::emulator::modem) enum Menu {
    /// Shown the choices.
    Choices,
    /// Asked for a voucher.
    Voucher,
}

const BALANCE: &str = "Balance: 12.34 EUR";
const CHOICES: &str = "1 Balance\n2 Top up\n0 Exit";

/// What the network says to `code` to one who stands at `menu`, and where he stands then.
fn network(code: &str, menu: Option<Menu>, number: &str) -> (End, String, Option<Menu>) {
    let said = |end, text: &str| (end, text.to_owned(), None);
    match (menu, code) {
        (Some(Menu::Choices), "1") => said(End::Ended, BALANCE),
        (Some(Menu::Choices), "2") => {
            let asked = "Voucher?".to_owned();
            (End::Asks, asked, Some(Menu::Voucher))
        }
        (Some(Menu::Choices), _) => said(End::Ended, "Bye"),
        (Some(Menu::Voucher), _) => said(End::Done, "Thank you"),
        (None, "*100#") => said(End::Done, BALANCE),
        (None, "*101#") => said(End::Done, "Баланс: 12.34 грн"),
        (None, "*111#") => (End::Asks, CHOICES.into(), Some(Menu::Choices)),
        (None, "*161#") => said(End::Done, number),
        (None, "*555#") => said(End::TimedOut, ""),
        (None, _) => said(End::Unsupported, ""),
    }
}

fn service(modem: &mut Modem, form: Form, now: Instant) -> Result<Reply, Fault> {
    let values = form.values();
    match (form, values.as_slice()) {
        (Form::Read, _) => return text(format!("+CUSD: {}", modem.setup.ussd_news)),
        (Form::Test, _) => return text("+CUSD: (0-2)".into()),
        (_, ["2"]) => modem.menu = None,
        (_, [news @ ("0" | "1")]) => modem.setup.ussd_news = u8::from(*news == "1"),
        (_, [news @ ("0" | "1"), code, ..]) => {
            if !modem.registered() {
                return Err(NO_SERVICE);
            }
            let code = request(modem, code).ok_or(BAD_PARAMETERS)?;
            modem.setup.ussd_news = u8::from(*news == "1");
            return Ok(ask(modem, &code, now));
        }
        _ => return Err(BAD_PARAMETERS),
    }
    Ok(Reply::Done)
}

/// Sends a code to the network; the answer comes with the result or after it.
fn ask(modem: &mut Modem, code: &str, now: Instant) -> Reply {
    let (end, said, menu) = network(code, modem.menu, &modem.identity.number);
    modem.menu = menu;
    if modem.setup.ussd_news == 0 {
        return Reply::Done;
    }
    let line = match said.as_str() {
        "" => format!("+CUSD: {}", end as u8),
        said => {
            let (string, coding) = answer(modem, said);
            format!("+CUSD: {},\"{string}\",{coding}", end as u8)
        }
    };
    if modem.manners.ussd_before_ok {
        return Reply::Text(line);
    }
    let pause = match end {
        End::TimedOut => NETWORK_PATIENCE,
        _ => Duration::from_millis(modem.manners.ussd_ms),
    };
    modem.schedule.add(now + pause, Later::Line(line));
    Reply::Done
}

/// The code in a quoted string as this family wants it.
fn request(modem: &Modem, quoted: &str) -> Option<String> {
    let string = quoted.strip_prefix('"').unwrap_or(quoted);
    let string = string.strip_suffix('"').unwrap_or(string);
    let set = modem.setup.charset;
    match (modem.manners.ussd, set) {
        (Coding::Packed, _) => {
            let octets = decode_hex(string).ok()?;
            Some(alphabet::decode(&alphabet::unpack_ussd(&octets)))
        }
        (Coding::Ucs2, _) => match decode_hex(string) {
            Ok(octets) => utf16(&octets),
            Err(_) => set.decode(string.as_bytes()),
        },
        (Coding::Plain, _) => set.decode(string.as_bytes()),
    }
}

/// The network's string as this family shows it, with its data coding scheme.
fn answer(modem: &Modem, said: &str) -> (String, u8) {
    let hex = || Charset::Ucs2.encode(said);
    let Some(septets) = alphabet::encode(said) else {
        return (hex(), UCS2);
    };
    match modem.manners.ussd {
        Coding::Packed => (encode_hex(&alphabet::pack_ussd(&septets)), GSM7),
        Coding::Ucs2 => (hex(), UCS2),
        // Between quotes too, a modem ends its lines as everywhere.
        Coding::Plain => {
            let shown = modem.setup.charset.encode(said).replace('\n', "\r\n");
            (shown, GSM7)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the network says in the end to a request.
    fn asked(modem: &mut Modem, request: &str) -> String {
        let at_once = modem.ask(&format!("+CUSD=1,{request}"));
        let Some(wake) = modem.wake_at() else {
            return at_once;
        };
        modem.tick(wake);
        let later = modem.ask("").replace("\r\n\r\nOK", "");
        later + &at_once
    }

    #[test]
    fn three_codings_of_the_same() {
        const CASES: &[(&str, &str, &str)] = &[
            (
                "generic",
                "\"*100#\",15",
                "+CUSD: 0,\"Balance: 12.34 EUR\",15",
            ),
            (
                "huawei",
                "\"AA180C3602\",15",
                "+CUSD: 0,\"C2303BEC1E9775A098CC35A3818A5529\",15",
            ),
            ("huawei", "\"*100#\",15", "ERROR"),
            (
                "ublox",
                "\"002A0031003000300023\",72",
                "+CUSD: 0,\"00420061006C0061006E00630065003A002000310032002E003300340020004500550052\",72",
            ),
            (
                "generic",
                "\"*101#\",15",
                "+CUSD: 0,\"04110430043B0430043D0441003A002000310032002E00330034002004330440043D\",72",
            ),
            ("generic", "\"*161#\"", "+CUSD: 0,\"+447700900500\",15"),
            ("generic", "\"*999#\",15", "+CUSD: 4"),
            ("generic", "\"*555#\",15", "+CUSD: 5"),
        ];
        for (family, request, answer) in CASES {
            let mut modem = Modem::of_family_ready(family, "");
            assert_eq!(asked(&mut modem, request), *answer, "{family} {request}");
        }
    }

    #[test]
    fn a_menu_leads_on_until_it_ends() {
        let mut modem = Modem::ready("");
        let menu = "+CUSD: 1,\"1 Balance\r\n2 Top up\r\n0 Exit\",15";
        assert_eq!(asked(&mut modem, "\"*111#\",15"), menu);
        assert_eq!(asked(&mut modem, "\"2\",15"), "+CUSD: 1,\"Voucher?\",15");
        assert_eq!(asked(&mut modem, "\"123\",15"), "+CUSD: 0,\"Thank you\",15");
        assert_eq!(asked(&mut modem, "\"*111#\",15"), menu);
        assert_eq!(
            asked(&mut modem, "\"1\",15"),
            "+CUSD: 2,\"Balance: 12.34 EUR\",15"
        );
        asked(&mut modem, "\"*111#\",15");
        assert_eq!(modem.ask("+CUSD=2"), "");
        assert_eq!(asked(&mut modem, "\"1\",15"), "+CUSD: 4");
    }

    #[test]
    fn each_command_has_its_answer() {
        const CASES: &[(&str, &str)] = &[
            ("+CUSD?", "+CUSD: 0"),
            ("+CUSD=1;+CUSD?", "+CUSD: 1"),
            ("+CUSD=?", "+CUSD: (0-2)"),
            ("+CUSD=3", "+CME ERROR: 50"),
            ("+CUSD=0,\"*100#\"", ""),
            ("+CFUN=4;+CUSD=1,\"*100#\"", "+CME ERROR: 30"),
        ];
        let mut modem = Modem::ready("+CMEE=1");
        for (command, answer) in CASES {
            assert_eq!(modem.ask(command), *answer, "{command}");
        }
        assert!(modem.wake_at().is_none());
    }
}
