//! Sweeps what has a date: messages whose hour comes or whose time runs out, deferred parts that come due, silences whose grace has passed,
//! texts that came in with gaps.
//!
//! It sleeps until the next date that the store knows; a slow look is the net below. It never touches
//! a modem.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Millis};
use crate::store::{Error, Grace, Store};

/// The longest sleep between two looks.
const NET: Duration = Duration::from_secs(30);

/// How the housekeeper behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// What silence after Ctrl-Z leads to, by class.
    pub grace: Grace,
}

impl Default for Settings {
    fn default() -> Self {
        let grace = Grace {
            otp: Some(Duration::from_secs(60)),
            transactional: Some(Duration::from_secs(300)),
        };
        Self { grace }
    }
}

/// Sweeps until told to stop.
pub async fn run(store: Store, clock: Clock, settings: Settings, stop: CancellationToken) {
    let mut dated = store.dated();
    loop {
        let sleep = match sweep(&store, clock.now(), settings).await {
            Ok(next) => next.map_or(NET, |next| next.since(clock.now())).min(NET),
            Err(error) => {
                tracing::error!(%error, "the sweep failed; it is tried again");
                Duration::from_secs(1)
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(sleep) => {}
            changed = dated.changed() => if changed.is_err() { return },
        }
    }
}

async fn sweep(store: &Store, now: Millis, settings: Settings) -> Result<Option<Millis>, Error> {
    let ends = store.expire_due(now).await?;
    let due = store.release_due(now).await?;
    let requests = store.forget_requests(now).await?;
    let grace = store.resend_uncertain(settings.grace, now).await?;
    let parts = store.close_inbound(now).await?;
    Ok(due
        .into_iter()
        .chain(ends)
        .chain(requests)
        .chain(grace)
        .chain(parts)
        .min())
}
