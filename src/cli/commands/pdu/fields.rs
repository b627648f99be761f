//! A PDU as JSON: the names of fields that programs rely on.

use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::error::{code, mark_code};
use crate::sms::alphabet::Alphabet;
use crate::sms::command::Command;
use crate::sms::deliver::Deliver;
use crate::sms::fields::{
    Address, Dcs, Element, Mailbox, MessageWaiting, Pid, Reading, Timestamp, Ton, UserData,
    UserDataHeader, ValidityPeriod, Waiting,
};
use crate::sms::marks::{Mark, MarkKind};
use crate::sms::pdu::{Tpdu, encode_hex};
use crate::sms::report::{StatusClass, StatusReport};
use crate::sms::submit::{ReportRequest, Submit};

/// The fields of one PDU by name, in order; those that it does not have are left out. Numbers are
/// octets and counts, times RFC 3339, hex in upper case. `pdu decode --help` lists the names: a new one
/// belongs there too.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(&'static str, Value)>);

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Fields {
    /// What a service centre's address and the TPDU, which begins behind `before` octets, say.
    pub(super) fn of(smsc: Option<&Address>, tpdu: &Tpdu, before: usize) -> Self {
        let mut fields = Self::default();
        fields.put("type", tpdu.kind().to_string());
        if let Some(smsc) = smsc {
            fields.address("smsc", "smsc_type", smsc);
        }
        match tpdu {
            Tpdu::Deliver(deliver) => fields.deliver(deliver),
            Tpdu::Submit(submit) => fields.submit(submit),
            Tpdu::StatusReport(report) => fields.status_report(report),
            Tpdu::Command(command) => fields.command(command),
            Tpdu::DeliverReport(report) => {
                fields.put_some("fcs", report.failure.map(|cause| cause.0));
                fields.told(report.user_data.as_ref(), report.pid, report.dcs);
            }
            Tpdu::SubmitReport(report) => {
                fields.put_some("fcs", report.failure.map(|cause| cause.0));
                fields.time("timestamp", "timestamp_hex", report.scts);
                fields.told(report.user_data.as_ref(), report.pid, report.dcs);
            }
        }
        fields.waiting(&tpdu.message_waiting());
        if let Some(cut) = tpdu.cut() {
            let (code, octet) = (code(cut), before + cut.octet);
            fields.put(
                "cut",
                json!({"code": code, "octet": octet, "message": cut.kind.to_string()}),
            );
        }
        fields
    }

    /// What is odd about a TPDU that begins behind `before` octets. What is cut off has its own field.
    pub(super) fn marks(&mut self, marks: &[Mark], before: usize) {
        let odd = marks
            .iter()
            .filter(|mark| !matches!(mark.kind, MarkKind::Cut(_)));
        let told = odd.map(|mark| {
            let (code, octet) = (mark_code(mark.kind), before + mark.octet);
            json!({"code": code, "octet": octet, "message": mark.kind.to_string()})
        });
        let told: Vec<Value> = told.collect();
        if !told.is_empty() {
            self.put("marks", told);
        }
    }

    /// The marks in words.
    pub(super) fn odd(&self) -> impl Iterator<Item = String> {
        let marks = self.get("marks").and_then(Value::as_array);
        marks.into_iter().flatten().filter_map(|mark| {
            let message = mark.get("message")?.as_str()?;
            Some(format!("octet {}: {message}", mark.get("octet")?))
        })
    }

    /// Octets that nobody announced stand behind the TPDU.
    pub(super) fn behind(&mut self, octets: &[u8]) {
        if !octets.is_empty() {
            self.put("behind_hex", encode_hex(octets));
        }
    }

    /// The value of a field, if the PDU has it.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let mut fields = self.0.iter();
        fields.find_map(|(known, value)| (*known == name).then_some(value))
    }

    /// Why optional fields that were announced are missing.
    pub(super) fn cut(&self) -> Option<&str> {
        self.get("cut")?.get("message")?.as_str()
    }

    fn put(&mut self, name: &'static str, value: impl Into<Value>) {
        self.0.push((name, value.into()));
    }

    fn put_some(&mut self, name: &'static str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// An address, and its type where its form does not tell it: else a name of digits, or a national
    /// number, could not be told from others.
    fn address(&mut self, name: &'static str, kind: &'static str, address: &Address) {
        let value = match address.ton() {
            Ton::International => format!("+{}", address.value()),
            _ => address.value().to_owned(),
        };
        self.put(name, value);
        if !matches!(address.ton(), Ton::International | Ton::Unknown) {
            self.put(kind, address.ton().to_string());
        }
    }

    fn deliver(&mut self, deliver: &Deliver) {
        self.address("sender", "sender_type", &deliver.originator);
        self.user_data(&deliver.user_data);
        self.time("timestamp", "timestamp_hex", deliver.scts);
        self.coding(Some(deliver.pid), Some(deliver.dcs));
        self.put("rp", deliver.reply_path);
    }

    fn submit(&mut self, submit: &Submit) {
        self.submit_fields(submit);
        if submit.validity.is_some_and(ValidityPeriod::single_shot) {
            self.put("single_shot", true);
        }
    }

    fn submit_fields(&mut self, submit: &Submit) {
        self.address("recipient", "recipient_type", &submit.destination);
        self.user_data(&submit.user_data);
        self.put("mr", submit.mr.0);
        self.coding(Some(submit.pid), Some(submit.dcs));
        self.put("srr", submit.report == ReportRequest::Wanted);
        self.put("rd", submit.reject_duplicates);
        self.put("rp", submit.reply_path);
        match submit.validity {
            None => {}
            Some(period @ ValidityPeriod::Relative(code)) => {
                self.put("vp", code);
                self.period(period);
            }
            Some(period @ ValidityPeriod::Enhanced(octets)) => {
                self.put("vp", encode_hex(&octets));
                self.period(period);
            }
            Some(ValidityPeriod::Absolute(until)) => {
                self.put("vp", encode_hex(&until.octets()));
                self.put_some("validity_until", clock(until));
            }
        }
    }

    /// In minutes, and in seconds where minutes do not tell it all.
    fn period(&mut self, period: ValidityPeriod) {
        let Some(seconds) = period.duration().map(|length| length.as_secs()) else {
            return;
        };
        if seconds >= 60 {
            self.put("validity_minutes", seconds / 60);
        }
        if seconds < 60 || !seconds.is_multiple_of(60) {
            self.put("validity_seconds", seconds);
        }
    }

    /// A time by its name and, where its octets are no whole time, those by theirs.
    fn time(&mut self, name: &'static str, hex: &'static str, time: Timestamp) {
        self.put_some(name, clock(time));
        if !matches!(time.reading(), Reading::Zoned(..)) {
            self.put(hex, encode_hex(&time.octets()));
        }
    }

    fn status_report(&mut self, report: &StatusReport) {
        self.address("recipient", "recipient_type", &report.recipient);
        self.time("timestamp", "timestamp_hex", report.scts);
        self.time("discharge", "discharge_hex", report.discharge);
        self.put("mr", report.mr.0);
        self.put("status", report.status.0);
        self.put("status_class", status_class(report.status.class()));
        self.told(report.user_data.as_ref(), report.pid, report.dcs);
    }

    fn command(&mut self, command: &Command) {
        self.address("recipient", "recipient_type", &command.destination);
        if !command.data.is_empty() {
            self.put("data_hex", encode_hex(&command.data));
        }
        if let Some(header) = command.header() {
            self.header(&header);
        }
        self.put("mr", command.mr.0);
        self.put("ct", command.command.0);
        self.put("mn", command.number.0);
        self.put("pid", command.pid.0);
        self.put("srr", command.report == ReportRequest::Wanted);
    }

    fn waiting(&mut self, indications: &[MessageWaiting]) {
        if let [first, others @ ..] = indications {
            self.put("message_waiting", waiting(*first));
            if !others.is_empty() {
                let others = others.iter().copied().map(waiting);
                self.put("more_waiting", others.collect::<Vec<_>>());
            }
        }
    }

    /// The fields that TP-PI announces.
    fn told(&mut self, user_data: Option<&UserData>, pid: Option<Pid>, dcs: Option<Dcs>) {
        if let Some(user_data) = user_data {
            self.user_data(user_data);
        }
        self.coding(pid, dcs);
    }

    fn coding(&mut self, pid: Option<Pid>, dcs: Option<Dcs>) {
        self.put_some("class", dcs.and_then(Dcs::class));
        self.put_some("pid", pid.map(|pid| pid.0));
        self.put_some("dcs", dcs.map(|dcs| dcs.0));
    }

    fn user_data(&mut self, user_data: &UserData) {
        let alphabet = user_data.alphabet();
        if alphabet == Alphabet::Data8 {
            self.put("data_hex", encode_hex(&user_data.payload()));
        } else {
            self.put("text", user_data.text());
        }
        self.put("alphabet", alphabet.to_string());
        self.put("udl", user_data.udl());
        if let Some(header) = user_data.header() {
            self.header(header);
        }
    }

    fn header(&mut self, header: &UserDataHeader) {
        let element =
            |element: Element<'_>| json!({"iei": element.iei, "hex": encode_hex(element.data)});
        self.put("udh", header.elements().map(element).collect::<Vec<_>>());
        if !header.leftover().is_empty() {
            self.put("udh_leftover_hex", encode_hex(header.leftover()));
        }
        self.put_some("concat", header.concat().map(|concat| {
            json!({"reference": concat.reference, "total": concat.total, "sequence": concat.sequence})
        }));
        self.put_some(
            "ports",
            header
                .ports()
                .map(|ports| json!({"destination": ports.destination, "source": ports.source})),
        );
    }
}

/// RFC 3339; without a zone where the zone is broken; nothing where the date is.
fn clock(time: Timestamp) -> Option<String> {
    match time.reading() {
        Reading::Zoned(..) => time.to_rfc3339(),
        Reading::WallClock(local) => Some(local.to_string()),
        Reading::Broken => None,
    }
}

fn waiting(indication: MessageWaiting) -> Value {
    let mailbox = match indication.mailbox {
        Mailbox::Voice => "voice",
        Mailbox::Fax => "fax",
        Mailbox::Email => "email",
        Mailbox::Other(_) => "other",
    };
    let mut told = Fields::default();
    told.put("mailbox", mailbox);
    told.put("waiting", indication.waiting != Waiting::None);
    if let Waiting::Count(count) = indication.waiting {
        told.put("count", count);
    }
    told.put("store", indication.store);
    if let Mailbox::Other(kind @ 1..) = indication.mailbox {
        told.put("extended_type", kind);
    }
    if indication.profile > 1 {
        told.put("profile", indication.profile);
    }
    json!(told)
}

fn status_class(class: StatusClass) -> &'static str {
    match class {
        StatusClass::Delivered => "delivered",
        StatusClass::Forwarded => "forwarded",
        StatusClass::Trying => "trying",
        StatusClass::Failed => "failed",
        StatusClass::Expired => "expired",
        StatusClass::TemporaryGaveUp => "temporary_gave_up",
        StatusClass::Reserved => "reserved",
    }
}
