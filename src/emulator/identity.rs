//! Who a modem and its SIM are: made from the modem's number, so that a restart shows the same ones.
//!
//! All of it lies in ranges that no real network uses: test IMEIs, network 001 01 and telephone
//! numbers reserved for fiction.

/// The service centre's number, in the range reserved for fiction.
pub(super) const SERVICE_CENTRE: &str = "+447700900999";
/// Network code of [`OPERATOR`]: mobile country code 001, network code 01, the test network.
pub(super) const OPERATOR_CODE: &str = "00101";
/// The operator's long name.
pub(super) const OPERATOR: &str = "Simpost Test";
/// The operator's short name.
pub(super) const SHORT_OPERATOR: &str = "Simpost";

/// The identities of one modem and the SIM in it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Identity {
    /// 15 digits, the last a check digit (TS 23.003, 6.2.1).
    pub(super) imei: String,
    /// 19 digits, the last a check digit (ITU-T E.118).
    pub(super) iccid: String,
    /// 15 digits in the test network.
    pub(super) imsi: String,
    /// The SIM's own number in E.164 form.
    pub(super) number: String,
    /// TP-MR of the last part that this SIM sent before the emulator started.
    pub(super) last_mr: u8,
}

impl Identity {
    /// The identities of modem `index`, counted from 0.
    pub(super) fn of(index: u16) -> Self {
        let own = 447_700_900_500_u64 + u64::from(index);
        // Step over the service centre's number and out of the range with the rest.
        let own = if own < 447_700_900_999 { own } else { own + 1 };
        let [low, high] = index.to_le_bytes();
        Self {
            imei: with_check_digit(&format!("00440199{index:06}")),
            iccid: with_check_digit(&format!("894400101{index:09}")),
            imsi: format!("{OPERATOR_CODE}{index:010}"),
            number: format!("+{own}"),
            last_mr: low.wrapping_mul(41).wrapping_add(high).wrapping_add(22),
        }
    }
}

/// Appends the Luhn check digit (ISO/IEC 7812-1, annex B).
fn with_check_digit(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .map(|digit| u32::from(digit.wrapping_sub(b'0')))
        .enumerate()
        .map(|(place, digit)| match digit * 2 {
            double if place % 2 == 0 => double / 10 + double % 10,
            _ => digit,
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn check_digits_are_right() {
        // IMEI of TS 23.003, annex B; the usual Luhn example.
        const CASES: &[(&str, &str)] = &[
            ("26053179311383", "260531793113837"),
            ("7992739871", "79927398713"),
            ("0", "00"),
        ];
        for (digits, whole) in CASES {
            assert_eq!(with_check_digit(digits), *whole, "{digits}");
        }
    }

    #[test]
    fn the_first_modem_is_always_the_same() {
        let first = Identity::of(0);
        assert_eq!(first.imei, "004401990000008");
        assert_eq!(first.iccid, "8944001010000000009");
        assert_eq!(first.imsi, "001010000000000");
        assert_eq!(first.number, "+447700900500");
        assert_eq!(first.last_mr, 22);
    }

    #[test]
    fn no_two_modems_share_an_identity() {
        let all: Vec<Identity> = (0..2000).map(Identity::of).collect();
        let forms: [fn(&Identity) -> String; 4] = [
            |it| it.imei.clone(),
            |it| it.iccid.clone(),
            |it| it.imsi.clone(),
            |it| it.number.clone(),
        ];
        for form in forms {
            let distinct: HashSet<String> = all.iter().map(form).collect();
            assert_eq!(distinct.len(), all.len());
        }
        assert!(
            all.iter()
                .all(|it| it.imei.len() == 15 && it.iccid.len() == 19)
        );
        assert!(all.iter().all(|it| it.number != SERVICE_CENTRE));
        assert_ne!(all[1].last_mr, all[0].last_mr);
    }
}
