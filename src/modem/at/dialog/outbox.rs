//! What the engine has to say and has not yet been asked for.

use std::collections::VecDeque;
use std::fmt;

use crate::modem::at::Error;
use crate::modem::at::codes::News;

/// What the engine wants or tells.
#[derive(Clone, PartialEq, Eq)]
pub enum Step {
    /// These bytes are to go to the port.
    Write(Vec<u8>),
    /// The modem waits for the payload: call [`Dialog::go`](super::Dialog::go) or [`Dialog::escape`](super::Dialog::escape).
    Prompted,
    /// The command has ended: the answer's lines, or how it failed.
    Finished(Result<Vec<String>, Error>),
    /// Something that nobody asked for.
    News(News),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // It may hold a PIN or a text.
            Self::Write(bytes) => write!(f, "Write({} octets)", bytes.len()),
            Self::Prompted => f.write_str("Prompted"),
            Self::Finished(result) => f.debug_tuple("Finished").field(result).finish(),
            Self::News(news) => f.debug_tuple("News").field(news).finish(),
        }
    }
}

/// More than this, in octets, is not kept for a caller that does not listen.
const MOST: usize = 256 * 1024;
/// What a step weighs besides its text.
const EACH: usize = 64;

/// The steps, in order. News has a bound; what a caller asked for itself has not, for it comes once a call.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    steps: VecDeque<Step>,
    /// Weight of the news among them, in octets.
    weight: usize,
    /// News that found no room since the last that did.
    lost: usize,
}

impl Outbox {
    pub(super) fn push(&mut self, step: Step) {
        self.steps.push_back(step);
    }

    /// Whether there was room for it.
    pub(super) fn news(&mut self, news: News) -> bool {
        let weight = weight(&news);
        if self.weight + weight > MOST {
            self.lost += 1;
            return false;
        }
        self.weight += weight;
        self.steps.push_back(Step::News(news));
        true
    }

    /// The next step. Behind the last of a flood it is told how many lines of it were lost.
    pub(super) fn poll(&mut self) -> Option<Step> {
        let step = self.steps.pop_front();
        if let Some(Step::News(news)) = &step {
            self.weight -= weight(news);
        }
        step.or_else(|| {
            let lost = std::mem::take(&mut self.lost);
            (lost > 0).then(|| Step::News(News::Noise(format!("{lost} lines lost in a flood"))))
        })
    }
}

fn weight(news: &News) -> usize {
    let text = match news {
        News::Report(text, _)
        | News::Message(text, _)
        | News::Broadcast(text)
        | News::Noise(text) => text.len(),
        News::Ussd(said) => said.text.as_ref().map_or(0, String::len),
        News::StoredReport(place) | News::StoredMessage(place) => place.storage.len(),
        _ => 0,
    };
    EACH + text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_that_nobody_hears_is_cut_and_counted() {
        let mut outbox = Outbox::default();
        let noise = || News::Noise("x".repeat(960));
        let kept = (0..1000).filter(|_| outbox.news(noise())).count();
        assert_eq!(kept, MOST / 1024);
        outbox.push(Step::Prompted);
        let told = std::iter::from_fn(|| outbox.poll());
        let told: Vec<_> = told.skip(kept).collect();
        let lost = News::Noise(format!("{} lines lost in a flood", 1000 - kept));
        assert_eq!(told, [Step::Prompted, Step::News(lost)]);
        assert_eq!(outbox.weight, 0);
        assert!(outbox.news(noise()), "there is room again");
        assert_eq!(outbox.poll(), Some(Step::News(noise())));
        assert_eq!(outbox.poll(), None);
    }
}
