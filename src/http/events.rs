//! `/v1/events`: what happened, in the one order in which it was written; asked for, waited for, or streamed.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Sse;
use axum::response::sse::{self, KeepAlive};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::App;
use super::gate::auth::Caller;
use super::modems::sim_name;
use super::problem::Problem;
use super::query::Parameters;
use crate::sms::state::{MessageState, PartState};
use crate::store::{self, EventFilter, Events, Store};

/// The longest that a question may wait for something to happen.
const LONGEST_WAIT_S: u64 = 60;
/// Streams at the same time: they hold their connections for ever, and others want some too.
const STREAMS: usize = 64;
/// A comment this often keeps proxies from closing a stream on which nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Events that a stream reads at once.
const STRETCH: u32 = 200;

/// What those who follow the events share.
#[derive(Debug, Clone)]
pub struct Following {
    stop: CancellationToken,
    seats: Arc<Semaphore>,
}

impl Following {
    /// Streams and waits end with `stop`: nobody else would end them.
    pub fn new(stop: CancellationToken) -> Self {
        Self {
            stop,
            seats: Arc::new(Semaphore::new(STREAMS)),
        }
    }
}

/// One thing that happened, as the API shows it.
#[derive(Serialize)]
pub struct Happening {
    seq: i64,
    at: String,
    r#type: String,
    message: Option<String>,
    inbound: Option<String>,
    part: Option<u8>,
    from: Option<String>,
    to: Option<String>,
    sim: Option<String>,
    reason: Option<String>,
}

/// A stretch of the events, oldest first.
#[derive(Serialize)]
pub struct Told {
    data: Vec<Happening>,
    /// The `after` of the next question.
    next_after: i64,
    has_more: bool,
}

impl From<store::Event> for Happening {
    fn from(event: store::Event) -> Self {
        Self {
            seq: event.seq,
            at: event.at.to_string(),
            r#type: event.kind,
            message: event.message.map(|message| message.to_string()),
            inbound: event.inbound.map(|inbound| inbound.to_string()),
            part: event.part.map(|part| part.0),
            from: event.from,
            to: event.to,
            sim: event.sim.map(sim_name),
            reason: event.reason,
        }
    }
}

/// `GET /v1/events`: what happened after a place, at once or as soon as there is something.
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    mut query: Parameters,
) -> Result<Json<Told>, Problem> {
    let mut reader = Reader::of(&app, &caller, &mut query).await?;
    reader.filter.limit = query.limit();
    let seconds = |text: &str| text.parse().ok().filter(|wait| *wait <= LONGEST_WAIT_S);
    let wait = query.take("wait", "a number of seconds up to 60", seconds);
    query.end()?;
    let end = Instant::now() + Duration::from_secs(wait.unwrap_or(0));
    let mut told = reader.read().await?;
    while told.events.is_empty() {
        // A stretch without anything of interest is passed over at once.
        let more = told.more || reader.has_changed(end).await;
        if !more {
            break;
        }
        told = reader.read().await?;
    }
    Ok(Json(Told {
        data: told.events.into_iter().map(Happening::from).collect(),
        next_after: told.reached,
        has_more: told.more,
    }))
}

/// `GET /v1/events/stream`: the same as Server-Sent Events, for as long as the client stays.
pub async fn stream(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    mut query: Parameters,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Problem> {
    let mut reader = Reader::of(&app, &caller, &mut query).await?;
    query.end()?;
    // A client that comes back tells where it was.
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    if let Some(last) = last.and_then(|id| id.parse().ok()) {
        reader.filter.after = last;
    }
    reader.filter.limit = STRETCH;
    let seat = Arc::clone(&app.following.seats).try_acquire_owned();
    let seat = seat.map_err(|_| {
        let detail =
            "as many programs as can be follow the events already; ask GET /v1/events instead";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_streams", detail)
    })?;
    let tail = Tail {
        reader,
        told: Vec::new().into_iter(),
        _seat: seat,
    };
    Ok(Sse::new(unfold(tail, Tail::next)).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

/// Reads on from where it is.
struct Reader {
    store: Store,
    stop: CancellationToken,
    newest: tokio::sync::watch::Receiver<i64>,
    filter: EventFilter,
    /// Texts that came in are for those who may read them.
    inbound: bool,
}

impl Reader {
    async fn of(app: &App, caller: &Caller, query: &mut Parameters) -> Result<Self, Problem> {
        caller.needs("messages:read")?;
        // Before the first look: what is written between the two is not missed.
        let newest = app.store.newest_event();
        let after = query.take(
            "after",
            "the seq of an event, or `now`",
            |text| match text {
                "now" => Some(None),
                seq => seq.parse().ok().filter(|seq| *seq >= 0).map(Some),
            },
        );
        let after = match after {
            Some(None) => app.store.last_event().await?,
            Some(Some(seq)) => seq,
            None => 0,
        };
        let form = "types such as message.delivered or inbound.received, with commas between";
        let kinds = query.take("types", form, |words| {
            let words: Vec<String> = words.split(',').map(str::to_owned).collect();
            words.iter().all(|word| is_known(word)).then_some(words)
        });
        Ok(Self {
            store: app.store.clone(),
            stop: app.following.stop.clone(),
            newest,
            filter: EventFilter {
                after,
                kinds: kinds.unwrap_or_default(),
                limit: 0,
            },
            inbound: caller.needs("inbound:read").is_ok(),
        })
    }

    async fn read(&mut self) -> Result<Events, store::Error> {
        self.newest.mark_unchanged();
        let mut told = self.store.events_after(self.filter.clone()).await?;
        self.filter.after = told.reached;
        if !self.inbound {
            told.events.retain(|event| event.inbound.is_none());
        }
        Ok(told)
    }

    /// Waits until something was written; no: the time is up, or the daemon stops.
    async fn has_changed(&mut self, end: Instant) -> bool {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            changed = timeout_at(end, self.newest.changed()) => matches!(changed, Ok(Ok(()))),
        }
    }
}

/// A stream under way.
struct Tail {
    reader: Reader,
    told: std::vec::IntoIter<store::Event>,
    _seat: OwnedSemaphorePermit,
}

impl Tail {
    async fn next(mut self) -> Option<(Result<sse::Event, Infallible>, Self)> {
        /// A look now and then costs nothing, and ends a wait that nobody else would.
        const LOOK: Duration = Duration::from_secs(3600);
        loop {
            if self.reader.stop.is_cancelled() {
                return None;
            }
            if let Some(event) = self.told.next() {
                return Some((Ok(as_sent(event)), self));
            }
            match self.reader.read().await {
                Ok(told) if told.events.is_empty() && !told.more => {
                    self.reader.has_changed(Instant::now() + LOOK).await;
                }
                Ok(told) => self.told = told.events.into_iter(),
                // The client comes back, and tells where it was.
                Err(error) => {
                    tracing::error!(%error, "a stream of events ends");
                    return None;
                }
            }
        }
    }
}

fn as_sent(event: store::Event) -> sse::Event {
    let (seq, kind) = (event.seq.to_string(), event.kind.clone());
    let sent = sse::Event::default().id(seq).event(kind);
    let happening = Happening::from(event);
    // Of strings and numbers alone: it can always be written.
    sent.clone().json_data(happening).unwrap_or(sent)
}

/// Whether such events exist.
fn is_known(kind: &str) -> bool {
    let state_of = |of: &str| kind.strip_prefix(of);
    matches!(kind, "message.note" | "inbound.received")
        || state_of("message.").is_some_and(|word| word.parse::<MessageState>().is_ok())
        || state_of("part.").is_some_and(|word| word.parse::<PartState>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_events_that_exist_can_be_asked_for() {
        for kind in [
            "message.delivered",
            "message.uncertain",
            "message.note",
            "part.sending",
            "inbound.received",
        ] {
            assert!(is_known(kind), "{kind}");
        }
        for kind in [
            "",
            "message",
            "message.",
            "part.queued",
            "inbound.sent",
            "Message.sent",
        ] {
            assert!(!is_known(kind), "{kind}");
        }
    }
}
