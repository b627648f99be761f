#!/usr/bin/env python3
"""Judges what went over the air by decoders that other people wrote.

    judge.py LEDGER EXPECTED [--once] [--twice-allowed FILE]
    judge.py --self-test

LEDGER is the emulator's file: one JSON object a line; `event: submit` with `outcome` `accepted` or
`silent` (taken, but the acknowledgement was lost) is a part that the network has. EXPECTED is a list
of `{"to": "+380...", "text": "..."}`, each pair once. Every expected text must have arrived,
unchanged, and nothing else may have. `--once`: none of them more than once, but for the texts in
FILE (a JSON list), which may have come twice.

The readers: three decoders from PyPI, and tshark where it is installed. A part counts as read when two of
the three and tshark say the same of it: number, reference and text. Two of the three have a fault, and no
part suffers from both: smspdudecoder reads 7 spare bits as `@` where an escape stands before them, pdusms
drops an `@` at the end of a part without spare bits. The summary tells how many parts each one read as
they were agreed on. Our own decoder is not asked.

Exit code: 0 all is well, 1 something is not, 2 wrong usage or no reader.
"""

import argparse
import json
import shutil
import struct
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

try:
    from messaging.sms import SmsDeliver, SmsSubmit
    from smspdu.pdu import SMS_SUBMIT
    from smspdudecoder.fields import SMSSubmit
except ImportError as missing:
    print(f"judge: {missing}; install requirements.txt beside this file", file=sys.stderr)
    sys.exit(2)


@dataclass(frozen=True)
class Read:
    """One reader's view of a part."""

    number: str
    concat: tuple | None  # reference, total, sequence
    text: str


@dataclass
class Part:
    line: int
    iccid: str
    pdu: str
    reads: dict = field(default_factory=dict)  # reader -> Read
    agreed: Read | None = None

    @property
    def number(self):
        return self.agreed.number

    @property
    def concat(self):
        return self.agreed.concat


# --- the readers -----------------------------------------------------------------------------------


def by_smspdudecoder(pdu):
    submit = SMSSubmit.decode(StringIO(pdu))
    address = submit["recipient"]
    plus = "+" if address["toa"]["ton"] == "international" else ""
    concat = None
    header = submit["user_data"]["header"]
    for element in header["elements"] if header else []:
        if element["iei"] in (0x00, 0x08):
            data = element["data"]
            concat = (data["reference"], data["parts_count"], data["part_number"])
    return Read(plus + address["number"], concat, submit["user_data"]["data"])


def by_python_messaging(pdu):
    """It reads SMS-DELIVER only: the fields that both have are put into one."""
    octets = bytes.fromhex(pdu)
    tpdu = octets[1 + octets[0] :]
    first, digits = tpdu[0], tpdu[2]
    address = tpdu[2 : 4 + (digits + 1) // 2]
    rest = tpdu[2 + len(address) :]
    validity = {0: 0, 2: 1, 1: 7, 3: 7}[first >> 3 & 3]
    # TP-MTI 00, TP-UDHI as it was; a service centre's time in the place of the validity period.
    deliver = bytes([0, first & 0x40]) + address + rest[:2]
    deliver += bytes.fromhex("62111221000000") + rest[2 + validity :]
    sms = SmsDeliver(deliver.hex().upper())
    concat = sms.udh.concat if sms.udh else None
    # Code units come out one by one: pairs of surrogates are put together.
    text = sms.text.encode("utf-16-be", "surrogatepass").decode("utf-16-be")
    return Read(sms.number, concat and (concat.ref, concat.cnt, concat.seq), text)


def by_pdusms(pdu):
    octets = bytes.fromhex(pdu)
    submit = SMS_SUBMIT.fromPDU(octets[1 + octets[0] :].hex().upper(), sender="")
    concat = submit.concatInfo()
    concat = concat and (concat["ref"], concat["count"], concat["seq"])
    return Read(submit.tp_da, concat, submit.user_data)


TSHARK_FIELDS = {
    "number": "gsm_sms.tp-da",
    "type": "gsm_sms.dis_field_addr.num_type",
    "reference": "gsm_sms.udh.mm.msg_id",
    "total": "gsm_sms.udh.mm.msg_parts",
    "sequence": "gsm_sms.udh.mm.msg_part",
    "text": "gsm_sms.sms_text",
}


def by_tshark(parts):
    """The TPDUs go in as upper-layer PDUs of its dissector `gsm_sms`, towards the network. What it cannot
    read whole is None."""

    def tag(number, value):
        return struct.pack(">HH", number, len(value)) + value

    capture = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 252)
    for part in parts:
        octets = bytes.fromhex(part.pdu)
        frame = tag(12, b"gsm_sms\0") + tag(35, struct.pack(">i", 1)) + tag(0, b"")
        frame += octets[1 + octets[0] :]
        capture += struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(capture)
        file.flush()
        command = ["tshark", "-r", file.name, "-o", "gsm_sms.reassemble:FALSE", "-T", "json"]
        command += [word for name in TSHARK_FIELDS.values() for word in ("-e", name)]
        told = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    return [tshark_read(frame["_source"].get("layers", {})) for frame in json.loads(told)]


def tshark_read(layers):
    told = {word: layers[name] for word, name in TSHARK_FIELDS.items() if name in layers}
    if any(len(values) != 1 for values in told.values()) or not {"number", "type", "text"} <= set(told):
        return None
    told = {word: values[0] for word, values in told.items()}
    concat = None
    if "reference" in told:
        concat = tuple(int(told[word], 0) for word in ("reference", "total", "sequence"))
    return Read("+" * (int(told["type"], 0) == 1) + told["number"], concat, told["text"])


READERS = {
    "pdusms": by_pdusms,
    "python-messaging": by_python_messaging,
    "smspdudecoder": by_smspdudecoder,
}
ENOUGH = 2


def read_all(parts, complaints, tshark, readers):
    """Fills in what each reader says and what they agree on; parts without agreement are left out."""
    agreed = []
    for part, seen in zip(parts, by_tshark(parts) if parts and tshark else [None] * len(parts)):
        for name, reader in readers.items():
            try:
                part.reads[name] = reader(part.pdu)
            except Exception:  # a reader that gives up, in whatever way, has not read it
                continue
        views = Counter(part.reads.values())
        if tshark:
            part.reads["tshark"] = seen
        if not views:
            complaints.append(f"line {part.line}: nobody can read {part.pdu}")
            continue
        read, count = views.most_common(1)[0]
        if count < ENOUGH or (tshark and seen != read):
            complaints.append(f"line {part.line}: readers do not agree about {part.pdu}: {part.reads}")
            continue
        part.agreed = read
        agreed.append(part)
    return agreed


# --- from parts to texts ---------------------------------------------------------------------------


def join(parts, complaints, doubtful=()):
    """Lists of parts that make a text, in the order in which they became whole.

    To a number in `doubtful` a part may come once more, the very same: a phone drops it."""
    whole, open_texts = [], defaultdict(dict)
    seen, repeats = defaultdict(dict), Counter()
    for part in parts:
        if part.concat is None:
            whole.append([part])
            continue
        reference, total, sequence = part.concat
        known = seen[part.iccid, part.number, reference, total]
        if part.number in doubtful and sequence in known and known[sequence].pdu == part.pdu:
            repeats[part.iccid, part.number, reference, total, sequence] += 1
            if repeats[part.iccid, part.number, reference, total, sequence] > 1:
                complaints.append(f"line {part.line}: part {sequence} of {total} came a third time")
            continue
        known[sequence] = part
        held = open_texts[part.iccid, part.number, reference, total]
        if sequence in held:
            complaints.append(
                f"line {part.line}: part {sequence} of {total} came again before its text was whole"
            )
        held[sequence] = part
        if len(held) == total:
            whole.append([held[number] for number in sorted(held)])
            del open_texts[part.iccid, part.number, reference, total]
    for (_, number, reference, total), held in open_texts.items():
        missing = sorted(set(range(1, total + 1)) - set(held))
        complaints.append(f"to {number}, reference {reference}: parts {missing} of {total} are missing")
    return whole


def judge(ledger, expected, once=False, twice=(), readers=READERS):
    """Complaints and a summary line."""
    tshark = shutil.which("tshark") is not None
    complaints, parts = [], []
    for number, line in enumerate(ledger, 1):
        entry = json.loads(line)
        if entry["event"] == "submit" and entry["outcome"] in ("accepted", "silent"):
            parts.append(Part(number, entry["iccid"], entry["pdu"]))
    wanted = defaultdict(list)
    for wish in expected:
        if wish["text"] in wanted[wish["to"]]:
            complaints.append(f"expected twice: {wish['text']!r} to {wish['to']}")
        wanted[wish["to"]].append(wish["text"])

    came, read_by = Counter(), Counter()
    doubtful = {wish["to"] for wish in expected if wish["text"] in twice}
    for text_parts in join(read_all(parts, complaints, tshark, readers), complaints, doubtful):
        number = text_parts[0].number
        text = "".join(part.agreed.text for part in text_parts)
        if text not in wanted.get(number, []):
            complaints.append(f"line {text_parts[-1].line}: nobody asked for this to {number}: {text!r}")
            continue
        came[number, text] += 1
        for part in text_parts:
            read_by.update(name for name, read in part.reads.items() if read == part.agreed)

    for number, texts in wanted.items():
        for text in texts:
            count = came[number, text]
            if count == 0:
                complaints.append(f"lost: {text!r} to {number}")
            elif once and count > (2 if text in twice else 1):
                complaints.append(f"came {count} times: {text!r} to {number}")
    doubled = sum(count > 1 for count in came.values())
    readers = ", ".join(f"{name} {count}" for name, count in sorted(read_by.items()))
    readers += "" if tshark else ", without tshark, which is not installed here"
    summary = (
        f"{len(came)} of {sum(map(len, wanted.values()))} texts arrived, {doubled} more than once; "
        f"{len(parts)} parts, read right by: {readers}; {len(complaints)} complaints"
    )
    return complaints, summary


# --- self-test -------------------------------------------------------------------------------------


def entries(to, text, iccid="8944001", outcome="accepted"):
    """Ledger lines for a text, encoded by python-messaging; its first reference is 0."""
    sms = SmsSubmit(to, text)
    sms.request_status = True
    return [
        json.dumps({"event": "submit", "iccid": iccid, "outcome": outcome, "pdu": part.pdu})
        for part in sms.to_pdu()
    ]


def wrong(reader):
    """The same reader, but it has a character more."""

    def read(pdu):
        right = reader(pdu)
        return Read(right.number, right.concat, right.text + "@")

    return read


def gives_up(_):
    """A reader that reads nothing."""

    def read(pdu):
        raise ValueError(pdu)

    return read


def readers_test(ledger, wishes):
    """How many readers must agree: a table of the names that go wrong or give up, and the complaint."""
    does_not_agree = "line 1: readers do not agree"
    cases = [
        ({"pdusms": wrong}, None),
        ({"smspdudecoder": wrong}, None),
        ({"python-messaging": gives_up}, None),
        ({"pdusms": wrong, "smspdudecoder": gives_up}, does_not_agree),
        ({"pdusms": gives_up, "python-messaging": gives_up}, does_not_agree),
        ({name: gives_up for name in READERS}, "line 1: nobody can read"),
    ]
    if shutil.which("tshark"):
        cases.append(({name: wrong for name in READERS}, does_not_agree))
    failed = 0
    for faults, expected in cases:
        readers = {name: faults.get(name, lambda same: same)(reader) for name, reader in READERS.items()}
        complaints, summary = judge(ledger, wishes, readers=readers)
        first = complaints[0] if complaints else None
        if first is not expected and not (expected and first and first.startswith(expected)):
            failed += 1
            print(f"self-test, faults in {sorted(faults)}: {first}; {summary}", file=sys.stderr)
    return len(cases), failed


def self_test():
    one, two = "+380671234567", "+447700900123"
    short, long = "Order 1042 is ready", "Замовлення готове. " * 12
    braces = "{x} costs 5 € [net]"
    wishes = [{"to": one, "text": short}, {"to": two, "text": long}, {"to": one, "text": braces}]
    first, parts, last = entries(one, short), entries(two, long), entries(one, braces)
    good = first + parts + last
    assert len(parts) > 2, "the long text is no long text"
    report = json.dumps({"event": "report", "iccid": "8944001", "pdu": "07"})
    broken = json.dumps({"event": "submit", "iccid": "1", "outcome": "accepted", "pdu": "0011"})
    other_sim = entries(two, long, iccid="8944002")
    # Name, ledger, once, twice allowed, the beginning of each complaint.
    cases = [
        ("all is well", good, True, (), []),
        ("out of order", [*parts[::-1], *last, *first], True, (), []),
        ("reports do not count", [report, *good], True, (), []),
        ("taken in silence", [*entries(one, short, outcome="silent"), *parts, *last], True, (), []),
        ("lost", parts + last, True, (), ["lost: 'Order 1042"]),
        ("refused", [*entries(one, short, outcome="refused"), *parts, *last], True, (), ["lost: 'Order"]),
        ("changed", entries(one, "Order 1043 is ready") + parts + last, True, (),
         ["line 1: nobody asked", "lost: 'Order 1042"]),
        ("a blank more", entries(one, short + " ") + parts + last, True, (),
         ["line 1: nobody asked", "lost: 'Order 1042"]),
        ("to somebody else", entries(two, short) + parts + last, True, (),
         ["line 1: nobody asked", "lost: 'Order 1042"]),
        ("doubled", good + first, True, (), ["came 2 times: 'Order"]),
        ("doubled and counted only", good + first, False, (), []),
        ("doubled and allowed", good + first, True, (short,), []),
        ("three times", good + first + first, True, (short,), ["came 3 times: 'Order"]),
        ("long text again", good + other_sim, True, (), ["came 2 times: 'Замов"]),
        ("two SIMs at once", [*first, *last, *[x for pair in zip(parts, other_sim) for x in pair]], True,
         (long,), []),
        ("a part missing", first + parts[1:] + last, True, (),
         ["to +447700900123, reference 0: parts [1]", "lost: 'Замов"]),
        ("two half texts on two SIMs", [*first, *last, *parts[:1], *other_sim[1:]], True, (),
         ["to +447700900123, reference 0: parts", "to +447700900123, reference 0: parts [1]", "lost: 'Замов"]),
        ("a part again", first + parts[:1] + parts + last, True, (), ["line 3: part 1 of"]),
        ("a doubtful part again", first + parts[:1] + parts + last, True, (long,), []),
        ("a doubtful part after its text", good + parts[1:2], True, (long,), []),
        ("a doubtful part three times", good + parts[1:2] * 2, True, (long,), [f"line {len(good) + 2}: part 2 of"]),
        ("unreadable", [*good, broken], True, (), [f"line {len(good) + 1}: nobody can read"]),
    ]
    failed = 0
    for name, ledger, once, twice, expected in cases:
        complaints, summary = judge(ledger, wishes, once, twice)
        alike = len(complaints) == len(expected)
        if not alike or any(not told.startswith(start) for told, start in zip(complaints, expected)):
            failed += 1
            print(f"self-test `{name}`: {summary}", *complaints, sep="\n  ", file=sys.stderr)
    count, more_failed = readers_test(good, wishes)
    count, failed = count + len(cases), failed + more_failed
    _, summary = judge(good, wishes)
    print(f"self-test: {count - failed} of {count} cases as expected; {summary}")
    return failed == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ledger", nargs="?", type=Path)
    parser.add_argument("expected", nargs="?", type=Path)
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--twice-allowed", type=Path, metavar="FILE")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        sys.exit(0 if self_test() else 1)
    if not arguments.expected:
        parser.error("a ledger and a file of expected texts, or --self-test")
    twice = json.loads(arguments.twice_allowed.read_text("utf-8")) if arguments.twice_allowed else ()
    with arguments.ledger.open(encoding="utf-8") as ledger:
        expected = json.loads(arguments.expected.read_text("utf-8"))
        complaints, summary = judge(ledger, expected, arguments.once, twice)
    for told in complaints:
        print(f"{arguments.ledger.name}: {told}", file=sys.stderr)
    print(f"{arguments.ledger.name}: {summary}")
    sys.exit(1 if complaints else 0)


if __name__ == "__main__":
    main()
