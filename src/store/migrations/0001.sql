-- Times are milliseconds since 1970 in UTC. Ids of messages and keys are UUIDv7, 16 octets.

CREATE TABLE sim(
  id INTEGER PRIMARY KEY,
  iccid TEXT UNIQUE,                   -- missing where the modem tells only the subscriber
  imsi TEXT,
  reports_matched INTEGER NOT NULL DEFAULT 0,  -- whether this SIM's reports normally come
  first_seen_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  CHECK(iccid IS NOT NULL OR imsi IS NOT NULL)
) STRICT;

CREATE INDEX sim_subscriber ON sim(imsi);

CREATE TABLE modem(
  id INTEGER PRIMARY KEY,
  imei TEXT NOT NULL UNIQUE,
  manufacturer TEXT,
  model TEXT,
  first_seen_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL
) STRICT;

CREATE TABLE api_key(
  id BLOB PRIMARY KEY,
  name TEXT NOT NULL,
  prefix TEXT NOT NULL UNIQUE,         -- public part, for the look-up
  hash BLOB NOT NULL,                  -- SHA-256 of the whole key
  scopes TEXT NOT NULL,                -- separated by blanks
  created_at INTEGER NOT NULL,
  last_used_at INTEGER,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE message(
  id BLOB PRIMARY KEY,
  key_id BLOB REFERENCES api_key(id),  -- NULL: the command line on this machine
  state TEXT NOT NULL,
  recipient TEXT NOT NULL,             -- E.164
  text TEXT NOT NULL,
  class TEXT NOT NULL,
  alphabet TEXT NOT NULL,
  parts INTEGER NOT NULL,
  report INTEGER NOT NULL,             -- 1: a status report is asked for
  priority INTEGER NOT NULL,
  rank INTEGER NOT NULL,               -- order among all that wait: lower goes first
  send_at INTEGER,                     -- the hour that was wished for
  expires_at INTEGER NOT NULL,         -- from then on it is not worth sending
  ready INTEGER NOT NULL,              -- 1: a part waits and may be taken now
  due_at INTEGER,                      -- when a deferred part may be taken again
  sim INTEGER REFERENCES sim(id),      -- set when the first part is claimed: a text travels through one SIM
  concat_reference INTEGER,
  client_ref TEXT,                     -- the shop's own name for it
  resend_of BLOB,                      -- the message that this one sends again
  erased_at INTEGER,                   -- text and number are gone
  canceled_at INTEGER,                 -- somebody withdrew it: what has not left never leaves
  error_code TEXT,
  error_message TEXT,
  error_raw TEXT,
  created_at INTEGER NOT NULL,
  sent_at INTEGER,
  finalized_at INTEGER,
  updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The two places where a SIM looks for its next part: texts already bound to it, and texts bound to none.
CREATE INDEX message_bound ON message(sim, rank, id) WHERE ready = 1 AND sim IS NOT NULL;
CREATE INDEX message_free ON message(rank, id) WHERE ready = 1 AND sim IS NULL;
CREATE INDEX message_due ON message(due_at) WHERE due_at IS NOT NULL;
CREATE INDEX message_expires ON message(expires_at) WHERE ready = 1 OR due_at IS NOT NULL;
CREATE INDEX message_state ON message(state, id);
CREATE INDEX message_recipient ON message(recipient, id);

CREATE UNIQUE INDEX message_client_ref ON message(coalesce(key_id, x''), client_ref) WHERE client_ref IS NOT NULL;

-- Requests that may be repeated, under the word that their sender gave them.
CREATE TABLE request(
  asker BLOB NOT NULL,                 -- the key's id, or empty for the command line on this machine
  word TEXT NOT NULL,
  asked BLOB NOT NULL,                 -- SHA-256 of the request
  message BLOB REFERENCES message(id), -- missing for a batch, whose items have rows of their own
  at INTEGER NOT NULL,
  PRIMARY KEY(asker, word)
) STRICT, WITHOUT ROWID;

CREATE INDEX request_at ON request(at);
CREATE INDEX request_message ON request(message) WHERE message IS NOT NULL;

CREATE TABLE part(
  message BLOB NOT NULL REFERENCES message(id),
  no INTEGER NOT NULL,
  state TEXT NOT NULL,
  token INTEGER,                       -- of the attempt that holds it or held it last
  attempts INTEGER NOT NULL DEFAULT 0,
  resent INTEGER NOT NULL DEFAULT 0,   -- 1: silence already bought it its one second chance
  mr INTEGER,                          -- TP-MR under which the network took it
  error_code TEXT,                     -- what keeps it from arriving
  error_message TEXT,
  error_raw TEXT,
  sent_at INTEGER,
  final_at INTEGER,
  PRIMARY KEY(message, no)
) STRICT, WITHOUT ROWID;

CREATE INDEX part_uncertain ON part(message, no) WHERE state = 'uncertain';

CREATE TABLE attempt(
  token INTEGER PRIMARY KEY AUTOINCREMENT,   -- fencing token: never used twice
  message BLOB NOT NULL REFERENCES message(id),
  part INTEGER NOT NULL,
  sim INTEGER NOT NULL REFERENCES sim(id),
  claimed_at INTEGER NOT NULL,
  armed_at INTEGER,                    -- committed before Ctrl-Z
  ended_at INTEGER,
  outcome TEXT,                        -- accepted refused unanswered released
  mr INTEGER,
  cause TEXT,                          -- what the modem said
  last_report INTEGER NOT NULL         -- the newest report row at the claim: later ones may be about it
) STRICT;

CREATE INDEX attempt_part ON attempt(message, part);
CREATE INDEX attempt_sim ON attempt(sim, token);
CREATE INDEX attempt_open ON attempt(sim) WHERE ended_at IS NULL;
CREATE INDEX attempt_reference ON attempt(sim, mr, ended_at) WHERE outcome = 'accepted';
CREATE INDEX attempt_refused ON attempt(sim, ended_at) WHERE outcome = 'refused';
CREATE INDEX attempt_unanswered ON attempt(sim, ended_at) WHERE outcome = 'unanswered';

CREATE TABLE report(
  id INTEGER PRIMARY KEY,
  sim INTEGER NOT NULL REFERENCES sim(id),
  mr INTEGER NOT NULL,
  recipient TEXT NOT NULL,             -- as the network spells it
  status INTEGER NOT NULL,             -- TP-ST
  scts TEXT NOT NULL,
  discharge TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  pdu TEXT NOT NULL,                   -- raw hex
  attempt INTEGER REFERENCES attempt(token),
  ambiguous INTEGER NOT NULL DEFAULT 0,
  UNIQUE(sim, mr, recipient, scts, status, discharge)
) STRICT;

CREATE INDEX report_attempt ON report(attempt) WHERE attempt IS NOT NULL;
CREATE INDEX report_unmatched ON report(sim, id) WHERE attempt IS NULL;

-- The concatenation reference counts per SIM and recipient (TS 23.040, 9.2.3.24.1).
CREATE TABLE concat_counter(
  sim INTEGER NOT NULL REFERENCES sim(id),
  recipient TEXT NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY(sim, recipient)
) STRICT, WITHOUT ROWID;

-- Texts that came in: whole, or with parts that are missing.
CREATE TABLE inbound(
  id BLOB PRIMARY KEY,
  sim INTEGER NOT NULL REFERENCES sim(id),
  sender TEXT,                         -- missing where the PDU cannot be read
  text TEXT,                           -- missing while parts may still come, and where the PDU cannot be read
  parts INTEGER NOT NULL,
  missing INTEGER NOT NULL,            -- how many of the parts have not come
  reference INTEGER,                   -- what the parts of a long text share, with its width in bits
  reference_bits INTEGER,
  waits_since INTEGER,                 -- when the last part came, while others may still come
  received_at INTEGER NOT NULL         -- when the first part came
) STRICT, WITHOUT ROWID;

CREATE INDEX inbound_waits ON inbound(sim, sender, reference, reference_bits, parts) WHERE waits_since IS NOT NULL;
-- Late copies of parts are looked for in texts that wait no more, too.
CREATE INDEX inbound_key ON inbound(sim, sender, reference, reference_bits, parts, received_at) WHERE reference IS NOT NULL;
CREATE INDEX inbound_sender ON inbound(sender, id);
CREATE INDEX inbound_late ON inbound(waits_since) WHERE waits_since IS NOT NULL;

CREATE TABLE inbound_part(
  id INTEGER PRIMARY KEY,
  inbound BLOB NOT NULL REFERENCES inbound(id),
  no INTEGER NOT NULL,
  sim INTEGER NOT NULL REFERENCES sim(id),
  fingerprint BLOB NOT NULL,           -- SHA-256 of what stays the same when a part is repeated
  received_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,            -- when a modem showed it last
  pdu TEXT NOT NULL,                   -- raw hex
  UNIQUE(inbound, no)
) STRICT;

CREATE INDEX inbound_part_fingerprint ON inbound_part(sim, fingerprint);

CREATE TABLE event(
  seq INTEGER PRIMARY KEY AUTOINCREMENT,     -- given by the one writer: commit order
  at INTEGER NOT NULL,
  type TEXT NOT NULL,
  message BLOB REFERENCES message(id),
  inbound BLOB REFERENCES inbound(id),
  part INTEGER,
  from_state TEXT,
  to_state TEXT,
  sim INTEGER,
  reason TEXT
) STRICT;

CREATE INDEX event_message ON event(message, seq);
CREATE INDEX event_inbound ON event(inbound, seq) WHERE inbound IS NOT NULL;
