//! SIMs and modems as they were seen: identity follows the card and the device, never the port.

use rusqlite::{OptionalExtension, params};

use super::{Error, Store};
use crate::clock::Millis;
use crate::sms::ids::{Iccid, Imei, Imsi, ModemId, SimId};

/// What a modem tells about its SIM. At least one of the two is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SimIdentity {
    /// The card's own number, with the subscriber's where the modem tells it.
    Card(Iccid, Option<Imsi>),
    /// Only the subscriber: some modems have no command for the card's number.
    Subscriber(Imsi),
}

/// What a modem tells about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModemIdentity {
    /// The device's own number.
    pub imei: Imei,
    /// `AT+CGMI`.
    pub manufacturer: Option<String>,
    /// `AT+CGMM`.
    pub model: Option<String>,
}

impl Store {
    /// Notes that a SIM is there and returns its row's number, the same one each time, also when the
    /// modem tells now the card's number and now only the subscriber's.
    pub async fn sim_seen(&self, identity: SimIdentity, now: Millis) -> Result<SimId, Error> {
        let (iccid, imsi) = match identity {
            SimIdentity::Card(iccid, imsi) => (Some(iccid), imsi),
            SimIdentity::Subscriber(imsi) => (None, Some(imsi)),
        };
        self.engine
            .write(move |scope| {
                let (iccid, imsi) = (iccid.as_ref().map(Iccid::as_str), imsi.as_ref().map(Imsi::as_str));
                // The card decides; the subscriber only where one side has not told its card.
                let known: Option<i64> = scope
                    .db
                    .prepare_cached(
                        "SELECT id FROM sim WHERE iccid = ?1 OR (imsi = ?2 AND (?1 IS NULL OR iccid IS NULL))
                         ORDER BY iccid IS ?1 DESC, last_seen_at DESC LIMIT 1",
                    )?
                    .query_row(params![iccid, imsi], |row| row.get(0))
                    .optional()?;
                let id = scope.db.prepare_cached(
                    "INSERT INTO sim(id, iccid, imsi, first_seen_at, last_seen_at) VALUES (?1, ?2, ?3, ?4, ?4)
                     ON CONFLICT(id) DO UPDATE SET iccid = coalesce(excluded.iccid, iccid),
                       imsi = coalesce(excluded.imsi, imsi), last_seen_at = excluded.last_seen_at
                     RETURNING id",
                )?;
                one_id(id, params![known, iccid, imsi, now.0]).map(SimId)
            })
            .await
    }

    /// Notes that a modem is there and returns its row's number, the same one each time.
    pub async fn modem_seen(&self, identity: ModemIdentity, now: Millis) -> Result<ModemId, Error> {
        self.engine
            .write(move |scope| {
                let id = scope.db.prepare_cached(
                    "INSERT INTO modem(imei, manufacturer, model, first_seen_at, last_seen_at) VALUES (?1, ?2, ?3, ?4, ?4)
                     ON CONFLICT(imei) DO UPDATE SET manufacturer = coalesce(excluded.manufacturer, manufacturer),
                       model = coalesce(excluded.model, model), last_seen_at = excluded.last_seen_at
                     RETURNING id",
                )?;
                one_id(id, params![identity.imei.as_str(), identity.manufacturer, identity.model, now.0]).map(ModemId)
            })
            .await
    }
}

fn one_id(
    mut statement: rusqlite::CachedStatement,
    values: impl rusqlite::Params,
) -> Result<i64, Error> {
    Ok(statement.query_row(values, |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_card_keeps_its_row_whatever_else_becomes_known() {
        let store = Store::in_task().unwrap();
        let iccid = |last: u8| -> Iccid { format!("893800399200000001{last}").parse().unwrap() };
        let imsi = |last: u8| -> Imsi { format!("25503000000000{last}").parse().unwrap() };
        let seen = async |identity| store.sim_seen(identity, Millis(1)).await.unwrap();
        let first = seen(SimIdentity::Card(iccid(1), None)).await;
        let other = seen(SimIdentity::Subscriber(imsi(2))).await;
        assert_ne!(first, other);
        assert_eq!(
            seen(SimIdentity::Card(iccid(1), Some(imsi(1)))).await,
            first
        );
        assert_eq!(
            seen(SimIdentity::Subscriber(imsi(1))).await,
            first,
            "its card is not told this time"
        );
        assert_eq!(
            seen(SimIdentity::Card(iccid(2), Some(imsi(2)))).await,
            other,
            "its card is told now"
        );
        let swapped = seen(SimIdentity::Card(iccid(3), Some(imsi(1)))).await;
        assert!(
            swapped != first && swapped != other,
            "another card is another SIM"
        );
    }

    #[tokio::test]
    async fn a_modem_keeps_its_row() {
        let store = Store::in_task().unwrap();
        let seen = |model: Option<&str>| ModemIdentity {
            imei: "490154203237518".parse().unwrap(),
            manufacturer: None,
            model: model.map(Into::into),
        };
        let first = store.modem_seen(seen(None), Millis(1)).await.unwrap();
        assert_eq!(
            store
                .modem_seen(seen(Some("E173")), Millis(2))
                .await
                .unwrap(),
            first
        );
    }
}
