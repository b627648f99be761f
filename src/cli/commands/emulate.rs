//! `simpost emulate`: modems for any program to open.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::serve;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output;
use crate::cli::scratch::Scratch;
use crate::cli::signals::EndSignals;
use crate::emulator::{Emulator, Error, Plan, Quota, ReportOrder, Settings};

/// Run emulated modems on pseudo-terminals
///
/// Each one answers AT commands like a USB stick with a SIM in a network that takes parts, sends status
/// reports, and keeps a ledger of what went over the air. Some recipients end otherwise than delivered:
/// +15005550013 undelivered, …14 refused, …15 silence, …16 expired, …17 congestion, …18 off at first,
/// …19 off for ever, …20 forwarded, …21 taken for spam; +15005551NNN refused with +CMS ERROR: NNN,
/// +15005552NNN reported with status NNN.
#[derive(Debug, Args)]
#[command(after_help = "\
A plan says what goes wrong, one [[fault]] after the other: `at` (command, answer, prompt, payload,
ctrl_z, air, result, unsolicited), `modem`, `command`, `nth`, `every`, `chance`, `times`, and `do`
(silence, late, torn, doubled, garbage, error, reset, unplug, sim_out, sim_in, sim_full, sim_room,
sim_locked, network_lost, network_back, call) with `ms`, `error`, `as`. The control socket takes the
same as JSON, one object a line, and besides: deliver, reports, quota, spam, registration, signal, plug,
clear, list.

Examples:
  simpost emulate --modems 4 --dir /tmp/modems --ledger /tmp/ledger.jsonl
  simpost emulate --modems 6 --profile huawei,zte,simcom_2g
  simpost serve --port /tmp/modems/modem0 --port /tmp/modems/modem1

  # plan.toml: every third result is lost, and once a stick is pulled out in the middle of a part
  #   [[fault]]                     [[fault]]
  #   at = \"result\"                 at = \"air\"
  #   every = 3                     nth = 5
  #   do = \"silence\"                do = \"unplug\"
  #                                 ms = 4000
  simpost emulate --dir /tmp/modems --plan plan.toml --control /tmp/modems/control
  echo '{\"do\":\"deliver\",\"modem\":0,\"from\":\"+447700900456\",\"text\":\"Hello\"}' |
    nc -U -N /tmp/modems/control")]
pub struct Emulate {
    /// How many modems
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=1024))]
    modems: u16,

    /// Where the links modem0, modem1, … are made (default: a new directory)
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,

    /// Append one JSON line for each thing that goes over the air or wrong
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,

    /// What is to go wrong (TOML)
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,

    /// Unix socket for orders, one JSON object a line [default: DIR/control]
    #[arg(long, value_name = "PATH")]
    control: Option<PathBuf>,

    /// The same seed gives the same chances, noise and order
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,

    /// Time of one part on the air, in milliseconds
    #[arg(long, default_value_t = 3000, value_name = "MS")]
    radio_ms: u64,

    /// From the acceptance of a part to its status report, in milliseconds
    #[arg(long, default_value_t = 2000, value_name = "MS")]
    report_ms: u64,

    /// Order of the reports; other than kept, they come when no part was taken for that long
    #[arg(long, default_value = "kept", value_parser = ["kept", "reversed", "shuffled"], value_name = "ORDER")]
    report_order: String,

    /// Between two tries of the service centre to deliver a part, in milliseconds
    #[arg(long, default_value_t = 30_000, value_name = "MS")]
    retry_ms: u64,

    /// When the lost result of a part to +15005550015 comes after all, in milliseconds (default: never)
    #[arg(long, value_name = "MS")]
    late_ms: Option<u64>,

    /// Zone of the service centre's clock, in quarters of an hour east of Greenwich
    #[arg(long, default_value_t = 8, allow_negative_numbers = true, value_name = "QUARTERS",
          value_parser = clap::value_parser!(i8).range(-63..=63))]
    zone: i8,

    /// Slots of each SIM
    #[arg(long, default_value_t = 20, value_name = "N")]
    sim_capacity: u16,

    /// Refuse what a SIM sends beyond this many parts
    #[arg(long, value_name = "PARTS")]
    quota: Option<u32>,

    /// Accept what a SIM sends beyond this many parts, and never deliver it
    #[arg(long, value_name = "PARTS")]
    spam_after: Option<u32>,

    /// Understand only clients at this speed, in bits a second (default: any)
    #[arg(long, value_name = "BAUD")]
    baud: Option<u32>,

    /// Family of modems, such as huawei, or several taken in turn; an unknown name lists them all
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    profile: Vec<String>,

    /// Directory of own families, NAME.toml as in hardware/manners; they go before the built-in ones
    #[arg(long, value_name = "DIR")]
    profiles: Option<PathBuf>,

    /// Print the ports and the control socket as JSON
    #[arg(long)]
    json: bool,
}

impl Emulate {
    pub(in crate::cli) async fn run(self) -> Result<Exit, Failure> {
        serve::start_log(false);
        let mut signals = EndSignals::catch()?;
        // Kept until the end, if it is needed at all.
        let scratch;
        let dir = if let Some(dir) = &self.dir {
            dir.clone()
        } else {
            scratch = Scratch::new("simpost-modems")?;
            scratch.path().to_owned()
        };
        let json = self.json;
        let settings = self.settings(dir)?;
        let emulator = Emulator::start(&settings).map_err(why)?;
        let ports: Vec<String> = emulator
            .ports()
            .iter()
            .map(|port| port.display().to_string())
            .collect();
        if json {
            output::json(&json!({ "ports": ports, "control": settings.control }));
        } else {
            for port in &ports {
                output::line(port);
            }
        }
        if let Some(control) = &settings.control {
            output::note(&format!("orders are taken at {}", control.display()));
        }
        output::note("emulated modems are up; Ctrl-C takes them away");
        signals.next().await;
        emulator.stop().await;
        Ok(Exit::Done)
    }

    fn settings(self, dir: PathBuf) -> Result<Settings, Failure> {
        let plan = self.plan.as_deref().map(Plan::read).transpose();
        let plan = plan.map_err(|error| Failure::new(Exit::Usage, error))?;
        let whole = |parts| Quota { parts, per: None };
        let control = self.control.unwrap_or_else(|| dir.join("control"));
        Ok(Settings {
            ledger: self.ledger,
            control: Some(control),
            plan: plan.unwrap_or_default(),
            seed: self.seed,
            radio: Duration::from_millis(self.radio_ms),
            report_delay: Duration::from_millis(self.report_ms),
            profiles: self.profile,
            profiles_dir: self.profiles,
            report_order: match self.report_order.as_str() {
                "reversed" => ReportOrder::Reversed,
                "shuffled" => ReportOrder::Shuffled,
                _ => ReportOrder::Kept,
            },
            retry: Duration::from_millis(self.retry_ms),
            silence: self.late_ms.map(Duration::from_millis),
            zone: self.zone,
            sim_capacity: self.sim_capacity,
            quota: self.quota.map(whole),
            spam_after: self.spam_after.map(whole),
            baud: self.baud,
            ..Settings::new(self.modems, dir)
        })
    }
}

/// What a person can do about an emulator that does not start.
fn why(error: Error) -> Failure {
    let hint = match &error {
        Error::Control { .. } => Some("`--control PATH` puts the socket somewhere else"),
        Error::Occupied(_) => Some("`--dir DIR` puts the links somewhere else"),
        _ => None,
    };
    let exit = match &error {
        Error::Plan(_) => Exit::Usage,
        _ => Exit::Failed,
    };
    let failure = Failure::new(exit, error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
