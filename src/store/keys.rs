//! API keys: only a hash is kept.

use rusqlite::{OptionalExtension, Row, params};

use super::{Error, Store};
use crate::clock::Millis;
use crate::sms::ids::KeyId;

/// A key about to be kept.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Its id.
    pub id: KeyId,
    /// What its owner calls it.
    pub name: String,
    /// The public part by which it is found.
    pub prefix: String,
    /// SHA-256 of the whole key.
    pub hash: [u8; 32],
    /// What it may do.
    pub scopes: Vec<String>,
}

/// A kept key.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// Its id.
    pub id: KeyId,
    /// What its owner calls it.
    pub name: String,
    /// The public part by which it is found.
    pub prefix: String,
    /// SHA-256 of the whole key.
    pub hash: [u8; 32],
    /// What it may do.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Millis>,
    /// When it was taken back.
    pub revoked_at: Option<Millis>,
}

const COLUMNS: &str = "id, name, prefix, hash, scopes, created_at, last_used_at, revoked_at";

impl Store {
    /// Keeps a new key.
    pub async fn add_key(&self, key: NewKey, now: Millis) -> Result<(), Error> {
        self.engine
            .write(move |scope| {
                scope
                    .db
                    .prepare_cached("INSERT INTO api_key(id, name, prefix, hash, scopes, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                    .execute(params![key.id.octets(), key.name, key.prefix, key.hash, key.scopes.join(" "), now.0])?;
                Ok(())
            })
            .await
    }

    /// Finds a key by its public part, also a revoked one.
    pub async fn key_by_prefix(&self, prefix: String) -> Result<Option<KeyRow>, Error> {
        self.engine
            .read(move |db| {
                let mut rows =
                    db.prepare_cached(&format!("SELECT {COLUMNS} FROM api_key WHERE prefix = ?1"))?;
                Ok(rows.query_row([prefix], key).optional()?)
            })
            .await
    }

    /// All keys, oldest first.
    pub async fn keys(&self) -> Result<Vec<KeyRow>, Error> {
        self.engine
            .read(move |db| {
                let mut rows =
                    db.prepare_cached(&format!("SELECT {COLUMNS} FROM api_key ORDER BY id"))?;
                let keys = rows.query_map([], key)?.collect::<Result<_, _>>()?;
                Ok(keys)
            })
            .await
    }

    /// Takes a key back for good. `false` when there is no such key; twice is no error.
    pub async fn revoke_key(&self, id: KeyId, now: Millis) -> Result<bool, Error> {
        self.engine
            .write(move |scope| {
                let mut row = scope.db.prepare_cached(
                    "UPDATE api_key SET revoked_at = coalesce(revoked_at, ?2) WHERE id = ?1",
                )?;
                Ok(row.execute(params![id.octets(), now.0])? == 1)
            })
            .await
    }

    /// Notes that a key was used.
    pub async fn key_used(&self, id: KeyId, now: Millis) -> Result<(), Error> {
        self.engine
            .write(move |scope| {
                scope
                    .db
                    .prepare_cached("UPDATE api_key SET last_used_at = ?2 WHERE id = ?1")?
                    .execute(params![id.octets(), now.0])?;
                Ok(())
            })
            .await
    }
}

fn key(row: &Row) -> rusqlite::Result<KeyRow> {
    let scopes: String = row.get(4)?;
    Ok(KeyRow {
        id: KeyId::from(row.get::<_, [u8; 16]>(0)?),
        name: row.get(1)?,
        prefix: row.get(2)?,
        hash: row.get(3)?,
        scopes: scopes.split_whitespace().map(Into::into).collect(),
        created_at: Millis(row.get(5)?),
        last_used_at: row.get::<_, Option<i64>>(6)?.map(Millis),
        revoked_at: row.get::<_, Option<i64>>(7)?.map(Millis),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_key_is_found_by_its_prefix_and_can_be_revoked_once_and_for_all() {
        let store = Store::in_task().unwrap();
        let id = KeyId::new();
        let new = NewKey {
            id,
            name: "till".into(),
            prefix: "abc".into(),
            hash: [7; 32],
            scopes: vec!["a:b".into(), "*".into()],
        };
        store.add_key(new, Millis(1)).await.unwrap();
        let found = store.key_by_prefix("abc".into()).await.unwrap().unwrap();
        assert_eq!(
            (found.id, found.hash, found.scopes),
            (id, [7; 32], vec!["a:b".to_owned(), "*".to_owned()])
        );
        assert!(store.key_by_prefix("abd".into()).await.unwrap().is_none());
        assert!(store.revoke_key(id, Millis(2)).await.unwrap());
        assert!(store.revoke_key(id, Millis(3)).await.unwrap());
        assert!(!store.revoke_key(KeyId::new(), Millis(3)).await.unwrap());
        store.key_used(id, Millis(4)).await.unwrap();
        let row = store.keys().await.unwrap().remove(0);
        assert_eq!(
            (row.revoked_at, row.last_used_at),
            (Some(Millis(2)), Some(Millis(4)))
        );
    }
}
