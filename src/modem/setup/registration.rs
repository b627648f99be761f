//! Waits until the network lets the SIM in.

use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::{Failed, Fault};
use crate::modem::at;
use crate::modem::at::codes::News;
use crate::modem::at::network::{Domain, ReadRegistration, Registration};
use crate::modem::link::{Link, LinkError};

/// All of them carry texts. A modem for LTE alone may say 0 to the first for ever.
const DOMAINS: [Domain; 3] = [Domain::Circuit, Domain::Packet, Domain::Eps];

/// The modem announces changes; the question repeated now and then is the net below.
const NET: Duration = Duration::from_secs(5);

/// Waits for any registration, `patience` at most.
pub(super) async fn wait(link: &mut Link, patience: Duration) -> Result<(), Failed> {
    let end = Instant::now() + patience;
    loop {
        let state = read(link).await?;
        if state == Registration::Registered {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(Failed::Now(Fault::NoNetwork(match state {
                Registration::Denied => "it refuses this SIM",
                Registration::NoService => "there is none for texts",
                Registration::Searching | Registration::Registered => "the modem still searches",
            })));
        }
        hear_change(link, end).await?;
    }
}

/// The first registration that there is, else the state that the first domain tells which the modem
/// knows. Errors: the modem knows none of them.
async fn read(link: &mut Link) -> Result<Registration, Failed> {
    let mut told = Err(Failed::Again(at::Error::Busy));
    for domain in DOMAINS {
        match link.run(&ReadRegistration(domain)).await {
            Ok(status) => {
                let state = status.registration();
                if state == Registration::Registered {
                    return Ok(state);
                }
                told = told.or(Ok(state));
            }
            Err(LinkError::At(error)) => told = told.or(Err(Failed::Again(error))),
            Err(LinkError::Lost(lost)) => return Err(Failed::Now(lost.into())),
        }
    }
    told
}

async fn hear_change(link: &mut Link, end: Instant) -> Result<(), Failed> {
    let mut others = Vec::new();
    let wait = end.min(Instant::now() + NET);
    loop {
        match timeout(wait.duration_since(Instant::now()), link.news()).await {
            Ok(Ok(News::Registration(..))) | Err(_) => break,
            Ok(Ok(news)) => others.push(news),
            Ok(Err(lost)) => return Err(Failed::Now(lost.into())),
        }
    }
    for news in others {
        link.keep(news);
    }
    Ok(())
}
