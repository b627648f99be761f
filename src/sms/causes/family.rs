//! Families of modems that number their errors alike.

/// Whose numbers a modem's errors are, where they are not the standard's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Wavecom, and Sierra Wireless after it.
    Wavecom,
    /// Siemens, Cinterion and modems on Infineon chips.
    Siemens,
    /// Motorola.
    Motorola,
    /// Modems on MTK chips: SIMCom, and Quectel's for 2G.
    Mediatek,
    /// Quectel's for LTE.
    Quectel,
    /// Nordic Semiconductor.
    Nordic,
}

/// What makers call themselves in the answer to `AT+CGMI`, by a word of it in capitals.
const MAKERS: &[(&str, Family)] = &[
    ("WAVECOM", Family::Wavecom),
    ("SIERRA", Family::Wavecom),
    ("SIEMENS", Family::Siemens),
    ("CINTERION", Family::Siemens),
    ("GEMALTO", Family::Siemens),
    ("INFINEON", Family::Siemens),
    ("MOTOROLA", Family::Motorola),
    ("SIMCOM", Family::Mediatek),
    ("MEDIATEK", Family::Mediatek),
    ("MTK", Family::Mediatek),
    ("QUECTEL", Family::Quectel),
    ("NORDIC", Family::Nordic),
];

/// Quectel's modems with a MTK chip, by the beginning of the answer to `AT+CGMM`.
const MEDIATEK_MODELS: &[&str] = &[
    "M10", "M26", "M35", "M66", "M72", "M80", "M85", "M95", "MC60",
];

impl Family {
    /// The family, by what the modem says of its maker and model; none where that is another.
    pub fn of(maker: &str, model: &str) -> Option<Self> {
        let maker = maker.to_ascii_uppercase();
        let word = |(word, _): &&(&str, Self)| maker.contains(word);
        let (_, family) = MAKERS.iter().find(word)?;
        let old = || {
            let model = model.trim_start_matches("Quectel_");
            MEDIATEK_MODELS.iter().any(|old| model.starts_with(old))
        };
        match family {
            Self::Quectel if old() => Some(Self::Mediatek),
            family => Some(*family),
        }
    }

    /// The family by its word in the table.
    pub(super) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "wavecom" => Self::Wavecom,
            "siemens" => Self::Siemens,
            "motorola" => Self::Motorola,
            "mediatek" => Self::Mediatek,
            "quectel" => Self::Quectel,
            "nordic" => Self::Nordic,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makers_as_they_call_themselves() {
        const CASES: &[(&str, &str, Option<Family>)] = &[
            (
                "WAVECOM MODEM",
                "MULTIBAND  900E  1800",
                Some(Family::Wavecom),
            ),
            (
                "Sierra Wireless, Incorporated",
                "MC7304",
                Some(Family::Wavecom),
            ),
            ("SIEMENS", "MC35i", Some(Family::Siemens)),
            ("Cinterion", "EHS6", Some(Family::Siemens)),
            ("SIMCOM_Ltd", "SIMCOM_SIM800L", Some(Family::Mediatek)),
            ("Quectel", "EC25", Some(Family::Quectel)),
            ("Quectel_Ltd", "Quectel_M35", Some(Family::Mediatek)),
            (
                "Nordic Semiconductor ASA",
                "nRF9160-SICA",
                Some(Family::Nordic),
            ),
            ("huawei", "E1752", None),
            ("", "", None),
        ];
        for (maker, model, family) in CASES {
            assert_eq!(Family::of(maker, model), *family, "{maker}");
        }
    }
}
