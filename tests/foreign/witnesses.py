#!/usr/bin/env python3
"""Programs of other authors use the emulated modems as they would use real ones.

    witnesses.py SIMPOST LEDGERS PROGRAM...

SIMPOST is the binary; `simpost emulate` is started in a fresh directory, with a modem for each pair of
program and family below. gammu identifies its modem, sends a long Cyrillic text with reports, is told
of them, and lists a long text from outside whose parts came in a strange order. smstools does the
same as the daemon that it is: files out, files in.

What they sent is left as LEDGERS/witnesses.jsonl, beside it what must be in it, for judge.py.

One modem of each program is rigged: its text from outside has one wrong letter, its reports never
come, and it is asked for another identity. There each check has to fail, or it proves nothing.

Exit code: 0 all is well, 1 something is not, 2 wrong usage.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# Slow enough for gammu to be back at the modem, three seconds after it sent, when a report comes.
REPORT_MS = 7000
# The longest start: a modem that tells its news meanwhile is not understood by gammu, which wants its
# echo before anything else.
START_SECONDS = 10
PATIENCE_SECONDS = 30
ORDER = [3, 1, 4, 2]

# Where reports cannot come, and why: so it is with the real modems and programs as well.
NO_REPORTS = {
    ("gammu", "cinterion"): "+CNMI wants a last value of 1, gammu says 0",
    ("gammu", "telit"): "they lie in SR, where gammu does not look",
    ("gammu", "zte"): "+CNMI with mode 2 is refused, and gammu tries no other",
    ("smstools", "wavecom"): "they lie in SR, where smsd does not look",
}
GAMMU = ["generic", "huawei", "cinterion", "quectel", "simcom_2g", "telit", "zte"]
SMSTOOLS = ["generic", "huawei", "zte", "simcom", "quectel", "wavecom"]
# Families whose first slot is 0.
FROM_ZERO = {"huawei", "quectel", "simcom"}
BAUD = {"wavecom": 9600}


@dataclass
class Witness:
    """One program at one modem."""

    program: str
    family: str
    modem: int
    rigged: bool = False

    @property
    def name(self):
        return f"{self.program}, {self.family}{' (rigged)' if self.rigged else ''}"

    @property
    def no_reports(self):
        return NO_REPORTS.get((self.program, self.family))

    @property
    def to(self):
        return f"+4477009001{self.modem:02}"

    @property
    def text(self):
        return (
            f"{self.family} {self.modem}: ваше замовлення №1742 зібрано, заберіть його щодня з 9:00 до "
            "20:00 на вулиці Ґонти, 7. Об'їзд з боку під'їзду, є підйомник. Дякуємо, що Ви з нами! "
            "Подъезд закрыт, звоните в любое время, ёлки и съёмка тоже здесь."
        )

    @property
    def sender(self):
        return f"+4477009004{self.modem:02}"

    @property
    def inbound(self):
        return (
            f"Чи є у вас ще зелений чайник? Питає {self.family} {self.modem}. Заберу завтра вранці, їжак "
            "та ґава чекають. Подъеду к восьми, ёмкость свою возьму. Якщо вже немає, то візьму "
            "синій, а як нема й синього, то будь-який інший на пів літра."
        )


@dataclass
class Verdict:
    """What a program said to one question, and whether that is right."""

    right: bool
    said: str

    def __str__(self):
        # All that gammu's monitor tells would fill pages.
        return self.said if len(self.said) < 1500 else f"{self.said[:700]} ... {self.said[-700:]}"


class Emulator:
    """The real binary, with its control socket and its ledger."""

    def __init__(self, simpost, directory, witnesses):
        self.directory, self.ledger = directory, directory / "ledger.jsonl"
        self.control = directory / "control"
        command = [simpost, "emulate", "--dir", directory, "--ledger", self.ledger]
        command += ["--control", self.control, "--modems", str(len(witnesses))]
        command += ["--profile", ",".join(it.family for it in witnesses)]
        command += ["--radio-ms", "100", "--report-ms", str(REPORT_MS)]
        self.log = (directory / "emulator.log").open("w")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        wait_for(self.control.exists, 10)

    def order(self, **order):
        """One line to the control socket, and its answer."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(self.control))
            client.sendall(json.dumps(order).encode() + b"\n")
            answer = json.loads(client.makefile().readline())
        if "error" in answer:
            raise RuntimeError(f"{order}: {answer['error']}")

    def bring(self, witness):
        """The text from outside, to a rigged witness with one wrong letter."""
        text = witness.inbound.replace("чайник", "чайнык") if witness.rigged else witness.inbound
        self.order(do="deliver", modem=witness.modem, text=text, order=ORDER, **{"from": witness.sender})

    def entries(self, witness, event):
        if not self.ledger.exists():
            return []
        lines = self.ledger.read_text("utf-8").splitlines()
        entries = [json.loads(line) for line in lines]
        return [it for it in entries if it["modem"] == witness.modem and it["event"] == event]

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        self.log.close()


def wait_for(happened, seconds):
    """Looks four times a second. True as soon as it happened, false when the time is up."""
    end = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(0.25)
    return True


def identity(modem):
    """What the emulator gives modem number `modem`: IMEI with its check digit, and IMSI."""
    digits = f"00440199{modem:06}"
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(digits)]
    check = -sum(it // 10 + it % 10 for it in doubled) % 10
    return f"{digits}{check}", f"00101{modem:010}"


def makers(family):
    """Maker and model as the family's file has them: what the emulator was told to say."""
    manners = Path(__file__).parents[2] / "hardware" / "manners" / f"{family}.toml"
    found = re.findall(r'^(manufacturer|model) = "(.*)"$', manners.read_text("utf-8"), re.M)
    return dict(found)


# --- gammu -----------------------------------------------------------------------------------------


def gammu(emulator, witness):
    """Verdicts by the name of the check."""
    config = emulator.directory / f"gammu{witness.modem}"
    port = emulator.directory / f"modem{witness.modem}"
    config.write_text(f"[gammu]\ndevice = {port}\nconnection = at115200\nsynchronizetime = no\n")

    def run(*arguments):
        command = ["gammu", "-c", config, *arguments]
        try:
            told = subprocess.run(command, capture_output=True, timeout=PATIENCE_SECONDS)
        except subprocess.TimeoutExpired as late:
            return f"no end after {PATIENCE_SECONDS} s: {(late.stdout or b'').decode()}"
        return (told.stdout + told.stderr).decode()

    verdicts = {"identity": gammu_identity(run("identify"), witness)}
    text = ["-unicode", "-report", "-len", "400", "-textutf8", witness.text]
    told = run("sendsms", "TEXT", witness.to, *text)
    sent = [int(mr) for mr in re.findall(r"OK, message reference=(\d+)", told)]
    verdicts["sending"] = Verdict(len(sent) > 1, f"references {sent}" if sent else told)
    heard = gammu_monitor(emulator, witness, config)
    listed = run("geteachsms")
    if not witness.no_reports:
        verdicts["reports"] = gammu_reports(heard + listed, witness, sent)
    if witness.inbound in listed and witness.sender in listed:
        verdicts["receiving"] = Verdict(True, witness.inbound)
    else:
        verdicts["receiving"] = Verdict(False, listed)
    return verdicts


def gammu_identity(told, witness):
    fields = dict(re.findall(r"^(\S[^:]*?) *: (.*?) *$", told, re.M))
    imei, imsi = identity(witness.modem + witness.rigged)
    maker = makers(witness.family)
    said = [fields.get(name, "") for name in ("Manufacturer", "Model", "IMEI", "SIM IMSI")]
    right = said[2:] == [imei, imsi]
    # It spells makers that it knows in its own way: Huawei, and ZTE without the rest.
    right &= said[0] != "" and maker["manufacturer"].lower().startswith(said[0].lower())
    right &= f"({maker['model']})" in said[1]
    return Verdict(right, ", ".join(said) if any(said) else told)


def gammu_monitor(emulator, witness, config):
    """What it says between the sending and the last report; meanwhile the text from outside comes."""
    with tempfile.TemporaryFile() as output:
        command = ["gammu", "-c", config, "monitor"]
        process = subprocess.Popen(command, stdout=output, stderr=output)
        emulator.bring(witness)
        parts = len(emulator.entries(witness, "submit"))
        seconds = REPORT_MS / 1000 + 3
        wait_for(lambda: len(emulator.entries(witness, "report")) >= parts, seconds)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        output.seek(0)
        return output.read().decode()


def gammu_reports(told, witness, sent):
    block = r"SMS status report\n.*?Remote number *: \"(.*?)\"\nReference number *: (\d+)\n"
    block += r".*?Delivery status *: (\w+)"
    came = set(re.findall(block, told, re.S))
    wanted = {(witness.to, str(mr), "Delivered") for mr in sent}
    right = came == wanted and bool(wanted)
    return Verdict(right, f"{sorted(came)}" if right else f"{sorted(came)}, not {sorted(wanted)}")


# --- smstools --------------------------------------------------------------------------------------


def smstools(emulator, witnesses):
    """Runs one daemon for all; verdicts of each witness."""
    spool = emulator.directory / "smstools"
    config = smstools_config(emulator, spool, witnesses)
    log = (spool / "terminal.log").open("w")
    # It signals its whole group when it ends.
    process = subprocess.Popen(
        ["smsd", "-t", "-c", config], stdout=log, stderr=log, start_new_session=True
    )
    try:
        for witness in witnesses:
            emulator.bring(witness)
            letter = f"To: {witness.to[1:]}\nQueue: {queue(witness)}\nAlphabet: UTF-8\nReport: yes\n\n"
            unfinished = spool / "unfinished"
            unfinished.write_text(letter + witness.text, "utf-8")
            unfinished.rename(spool / "outgoing" / queue(witness))
        honest = [it for it in witnesses if not it.rigged]
        wait_for(
            lambda: all(it.right for who in honest for it in judged(emulator, spool, who).values()),
            PATIENCE_SECONDS,
        )
        return {it.name: judged(emulator, spool, it) for it in witnesses}
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        log.close()


def queue(witness):
    return f"q{witness.modem}"


def smstools_config(emulator, spool, witnesses):
    folders = ["outgoing", "checked", "failed", "sent", "incoming"]
    lines = [f"{folder} = {spool / folder}" for folder in folders]
    lines += [f"logfile = {spool / 'log'}", f"infofile = {spool / 'info'}", f"pidfile = {spool / 'pid'}"]
    lines += ["loglevel = 7", "autosplit = 3", "incoming_utf8 = yes", "decode_unicode_text = yes"]
    lines += ["internal_combine = yes", "delaytime = 1", "delaytime_mainprocess = 1", "errorsleeptime = 1"]
    lines += ["keep_filename = yes", "stats_interval = 0", "receive_before_send = no"]
    lines.insert(0, "devices = " + ", ".join(map(queue, witnesses)))
    lines += ["[queues]", *(f"{queue(it)} = {spool / 'queues' / queue(it)}" for it in witnesses)]
    for witness in witnesses:
        lines += [f"[{queue(witness)}]", f"device = {emulator.directory / f'modem{witness.modem}'}"]
        lines += [f"queues = {queue(witness)}", "incoming = yes", "report = yes"]
        lines += [f"baudrate = {BAUD.get(witness.family, 115200)}"]
        lines += [f"memory_start = {0 if witness.family in FROM_ZERO else 1}"]
        # Reports into the storage, where it looks for them.
        lines += ["init = AT+CNMI=1,1,0,2,0"]
        (spool / "queues" / queue(witness)).mkdir(parents=True)
    for folder in folders:
        (spool / folder).mkdir(parents=True, exist_ok=True)
    config = spool / "smsd.conf"
    config.write_text("\n".join(lines) + "\n", "utf-8")
    return config


def letters(folder, witness):
    """What each file says that this modem's process left there: fields of its header, and all of it."""
    found = []
    for file in sorted(folder.iterdir()):
        content = file.read_text("utf-8", "replace")
        fields = dict(re.findall(r"^(\w+): *(.*)$", content, re.M))
        if fields.get("Modem") == queue(witness):
            found.append((fields, content))
    return found


def judged(emulator, spool, witness):
    """Verdicts on what lies in the folders so far."""
    ids = identity(witness.modem + witness.rigged)
    sent, incoming = letters(spool / "sent", witness), letters(spool / "incoming", witness)
    reports = [fields for fields, content in incoming if "\n\nSMS STATUS REPORT\n" in content]
    texts = [it for it in incoming if it[0] not in reports]
    said = [(fields.get("IMEI"), fields.get("IMSI")) for fields, _ in sent]
    verdicts = {"identity": Verdict(said == [ids], f"IMEI and IMSI {said}")}
    # Its notices about letters that GSM 7-bit lacks swallow the empty line behind the header.
    right = len(sent) == 1 and sent[0][1].endswith(f"\n{witness.text}")
    last = sent[0][0].get("Message_id") if sent else None
    verdicts["sending"] = Verdict(right, f"file in sent, last reference {last}" if right else f"{sent}")
    if not witness.no_reports:
        told = {(it.get("Message_id"), it.get("Status", "")) for it in reports}
        came = {str(it["mr"]) for it in emulator.entries(witness, "report")}
        right = last in came and {reference for reference, _ in told} == came
        right &= all(status.startswith("0,Ok,") for _, status in told)
        verdicts["reports"] = Verdict(right, f"{sorted(told)}")
    right = [fields.get("From") for fields, _ in texts] == [witness.sender[1:]]
    right = right and texts[0][1].endswith(f"\n\n{witness.inbound}")
    verdicts["receiving"] = Verdict(right, witness.inbound if right else f"{texts}")
    return verdicts


# --- all of it -------------------------------------------------------------------------------------


def tell(witness, verdicts):
    """Prints the verdicts of a witness; how many of them are not as they should be."""
    bad = 0
    for check, verdict in verdicts.items():
        # A rigged witness can send all the same: it is the network that swallows its text.
        rigged = witness.rigged and check != "sending"
        bad += verdict.right == rigged
        word = "right" if verdict.right else "wrong, as it must be" if rigged else "wrong"
        word += "" if verdict.right != rigged else ", NOT AS IT MUST BE"
        print(f"{witness.name}: {check} {word}: {verdict}")
    if witness.no_reports:
        print(f"{witness.name}: reports not asked for: {witness.no_reports}")
    return bad


def line_up(programs):
    families = {"gammu": GAMMU, "smstools": SMSTOOLS}
    pairs = []
    for program in programs:
        pairs += [(program, family, False) for family in families[program]]
        pairs.append((program, "generic", True))
    return [Witness(program, family, modem, rigged) for modem, (program, family, rigged) in enumerate(pairs)]


def examine(simpost, ledgers, witnesses, directory):
    emulator = Emulator(simpost, directory, witnesses)
    try:
        for witness in witnesses:
            if witness.rigged:
                emulator.order(do="spam", modem=witness.modem, parts=0)
        time.sleep(START_SECONDS)
        with ThreadPoolExecutor(len(witnesses)) as pool:
            daemon = [it for it in witnesses if it.program == "smstools"]
            told = pool.submit(smstools, emulator, daemon) if daemon else None
            runs = {
                it.name: pool.submit(gammu, emulator, it) for it in witnesses if it.program == "gammu"
            }
            verdicts = {name: run.result() for name, run in runs.items()}
            verdicts.update(told.result() if told else {})
    finally:
        emulator.stop()
    ledgers.mkdir(parents=True, exist_ok=True)
    shutil.copy(emulator.ledger, ledgers / "witnesses.jsonl")
    expected = [{"to": it.to, "text": it.text} for it in witnesses if not it.rigged]
    (ledgers / "witnesses.expected.json").write_text(json.dumps(expected, ensure_ascii=False), "utf-8")
    return sum(tell(it, verdicts[it.name]) for it in witnesses)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("simpost", type=Path)
    parser.add_argument("ledgers", type=Path)
    parser.add_argument("programs", nargs="+", choices=["gammu", "smstools"])
    arguments = parser.parse_args()
    witnesses = line_up(arguments.programs)
    with tempfile.TemporaryDirectory(prefix="simpost-witnesses-") as directory:
        bad = examine(arguments.simpost.resolve(), arguments.ledgers, witnesses, Path(directory))
    print(f"witnesses: {len(witnesses)} modems, {bad} checks not as they should be")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
