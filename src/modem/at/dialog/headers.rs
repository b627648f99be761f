//! Unsolicited headers that have come, and whose PDUs have not.

use crate::modem::at::codes::{Header, News};

/// So many may wait; more is noise.
const DEEPEST: usize = 4;

/// The latest comes first: it crossed what was said before it.
#[derive(Debug, Default)]
pub(super) struct Headers(Vec<Announced>);

#[derive(Debug, Clone, Copy)]
struct Announced {
    header: Header,
    /// A final result came between: only what has its length is its PDU.
    crossed: bool,
}

/// Whether the command that runs takes lines without a name, hex among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hex {
    /// What looks like a PDU is one.
    IsPdu,
    /// It may be an answer: only what has the header's length is a PDU.
    MayAnswer,
}

impl Headers {
    /// Keeps one more. Returns how many were lost for it.
    pub(super) fn push(&mut self, header: Header) -> usize {
        let lost = if self.0.len() == DEEPEST {
            self.lose()
        } else {
            0
        };
        let crossed = false;
        self.0.push(Announced { header, crossed });
        lost
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The news that `pdu`, a line of hex, makes with the latest header, if they fit.
    pub(super) fn complete(&mut self, pdu: &str, hex: Hex) -> Option<News> {
        let sure = |one: &Announced| hex == Hex::IsPdu && !one.crossed;
        let fits = |one: &mut Announced| sure(one) || one.header.fits(pdu);
        let announced = self.0.pop_if(fits)?;
        Some(announced.header.with(pdu.to_owned()))
    }

    /// A final result came where a PDU was due: that may be the next line, and is no later one's. Returns
    /// how many were lost: those that waited through a result before.
    pub(super) fn cross(&mut self) -> usize {
        let before = self.0.len();
        self.0.retain(|one| !one.crossed);
        for one in &mut self.0 {
            one.crossed = true;
        }
        before - self.0.len()
    }

    /// An answer came where a PDU was due: there is none. Returns how many were lost.
    pub(super) fn lose(&mut self) -> usize {
        std::mem::take(&mut self.0).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modem::at::codes::{Unsolicited, unsolicited};

    fn header(line: &str) -> Header {
        match unsolicited(line) {
            Some(Unsolicited::Header(header)) => header,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_latest_takes_the_pdu_if_it_fits() {
        let mut headers = Headers::default();
        headers.push(header("+CMT: 2"));
        headers.push(header("+CDS: 3"));
        let report = News::Report("F1A7B8".into());
        assert_eq!(headers.complete("00A7", Hex::MayAnswer), None);
        assert_eq!(headers.complete("F1A7B8", Hex::MayAnswer), Some(report));
        let odd = News::Message("00A".into());
        assert_eq!(headers.complete("00A", Hex::IsPdu), Some(odd));
        assert!(headers.is_empty());
    }

    #[test]
    fn a_header_waits_through_one_result() {
        let mut headers = Headers::default();
        headers.push(header("+CMT: 2"));
        assert_eq!(headers.cross(), 0);
        assert_eq!(headers.complete("F1A7B8", Hex::IsPdu), None);
        headers.push(header("+CDS: 3"));
        assert_eq!(headers.cross(), 1);
        let report = News::Report("F1A7B8".into());
        assert_eq!(headers.complete("F1A7B8", Hex::IsPdu), Some(report));
        assert_eq!(headers.cross(), 0);
    }

    #[test]
    fn headers_do_not_pile_up() {
        let mut headers = Headers::default();
        let lost: usize = (0..9).map(|_| headers.push(header("+CMT: 2"))).sum();
        assert_eq!((lost, headers.lose()), (8, 1));
        assert!(headers.is_empty());
    }
}
