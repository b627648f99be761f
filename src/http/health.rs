//! Is the process there? No key needed, nothing told about anybody.

use axum::Json;
use serde_json::{Value, json};

/// `GET /healthz`
pub async fn healthz() -> Json<Value> {
    Json(json!({"status": "ok"}))
}
