//! Cheaper texts: which characters force UCS-2, and what else could stand there.
//!
//! Nothing here changes a text by itself: admission and people decide whether the cheaper one will do.

use std::collections::HashMap;
use std::fmt;

use super::alphabet;

/// A character that the default alphabet does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stranger {
    /// The character.
    pub character: char,
    /// Where it stands first, in characters counted from 0.
    pub first: usize,
    /// How often it stands in the text.
    pub times: usize,
}

/// The characters that force a text into UCS-2, in the order in which they come first; none if the text
/// is in the default alphabet.
pub fn strangers(text: &str) -> Vec<Stranger> {
    let mut found: Vec<Stranger> = Vec::new();
    let mut places: HashMap<char, usize> = HashMap::new();
    for (first, character) in text.chars().enumerate() {
        if alphabet::width(character).is_some() {
            continue;
        }
        let place = *places.entry(character).or_insert(found.len());
        match found.get_mut(place) {
            Some(stranger) => stranger.times += 1,
            None => found.push(Stranger {
                character,
                first,
                times: 1,
            }),
        }
    }
    found
}

/// What looks (almost) the same in the default alphabet: typographic quotes, dashes and blanks, and the
/// Greek and Cyrillic letters that are drawn like Latin ones.
///
/// Characters without a look of their own become nothing. `None` if there is no look-alike, also for the
/// characters of the default alphabet.
#[rustfmt::skip]
pub fn look_alike(character: char) -> Option<&'static str> {
    Some(match character {
        '\u{2018}'..='\u{201B}' | '\u{2032}' | '\u{2039}' | '\u{203A}' | '\u{02B9}' | '\u{02BC}'
        | '`' | '´' => "'",
        '\u{201C}'..='\u{201F}' | '\u{2033}' | '«' | '»' => "\"",
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "-",
        '…' => "...",
        '\u{A0}' | '\u{2000}'..='\u{200A}' | '\u{202F}' | '\u{205F}' | '\u{3000}' | '\t' => " ",
        '\u{AD}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}' => "",
        '\u{2028}' | '\u{2029}' | '\u{85}' => "\n",
        '•' | '∙' | '·' => "*",
        '№' => "No",
        'Α' | 'А' => "A",
        'Β' | 'В' => "B",
        'С' => "C",
        'Ε' | 'Е' => "E",
        'Η' | 'Н' => "H",
        'Ι' | 'І' => "I",
        'Ј' => "J",
        'Κ' | 'К' => "K",
        'Μ' | 'М' => "M",
        'Ν' => "N",
        'Ο' | 'О' => "O",
        'Ρ' | 'Р' => "P",
        'Ѕ' => "S",
        'Τ' | 'Т' => "T",
        'Χ' | 'Х' => "X",
        'Υ' | 'У' => "Y",
        'Ζ' => "Z",
        'а' => "a",
        'с' => "c",
        'е' => "e",
        'і' => "i",
        'ј' => "j",
        'ο' | 'о' => "o",
        'р' => "p",
        'ѕ' => "s",
        'х' | '×' => "x",
        'у' => "y",
        _ => return None,
    })
}

/// The text in the default alphabet, each stranger replaced by its look-alike.
///
/// `None` if a stranger has none: a text with half of its letters replaced would cost as much as
/// before. A text without strangers comes back as it is.
pub fn looks_the_same(text: &str) -> Option<String> {
    let mut same = String::with_capacity(text.len());
    for character in text.chars() {
        if alphabet::width(character).is_some() {
            same.push(character);
        } else {
            same.push_str(look_alike(character)?);
        }
    }
    Some(same)
}

/// A text that may stand for a dearer one.
#[derive(Clone, PartialEq, Eq)]
pub struct Cheaper {
    /// In the default alphabet.
    pub text: String,
    /// What was done.
    pub way: Way,
}

/// Shows what was done, never the text.
impl fmt::Debug for Cheaper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cheaper by {}", self.way)
    }
}

/// How a text was made cheaper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// Each stranger by what looks the same ([`looks_the_same`]).
    LookAlikes,
    /// Transliterated from Ukrainian ([`from_ukrainian`]).
    Ukrainian,
    /// Transliterated from Russian ([`from_russian`]).
    Russian,
}

/// One word, such as `look_alikes`.
impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::LookAlikes => "look_alikes",
            Self::Ukrainian => "ukrainian",
            Self::Russian => "russian",
        })
    }
}

/// The text in the default alphabet, with as little done to it as that takes.
///
/// Nothing for a text without strangers, and for one that no way here makes wholly cheap. Cyrillic counts as
/// Russian if it has a letter that only Russian has and none that only Ukrainian has, else as Ukrainian.
pub fn cheaper(text: &str) -> Option<Cheaper> {
    if strangers(text).is_empty() {
        return None;
    }
    if let Some(text) = looks_the_same(text) {
        let way = Way::LookAlikes;
        return Some(Cheaper { text, way });
    }
    let has = |letters: &str| {
        text.chars()
            .map(lower)
            .any(|letter| letters.contains(letter))
    };
    let (text, way) = if has("ыэъё") && !has("іїєґ") {
        (from_russian(text), Way::Russian)
    } else {
        (from_ukrainian(text), Way::Ukrainian)
    };
    strangers(&text).is_empty().then_some(Cheaper { text, way })
}

/// A Ukrainian text in Latin letters, by the table of the Cabinet of Ministers (resolution 55 of 2010).
///
/// Soft signs and apostrophes are left out; letters that only Russian has, hryvnia and rouble signs, and
/// [look-alikes](look_alike) are replaced too; what is left stays as it is.
pub fn from_ukrainian(text: &str) -> String {
    transliterated(text, |letter| {
        Some(match letter.lower {
            'г' if letter.before == Some('з') => "gh",
            'г' => "h",
            'ґ' => "g",
            'и' => "y",
            'є' if letter.begins => "ye",
            'є' => "ie",
            'ї' if letter.begins => "yi",
            'й' if letter.begins => "y",
            'ї' | 'й' => "i",
            'ю' if letter.begins => "yu",
            'ю' => "iu",
            'я' if letter.begins => "ya",
            'я' => "ia",
            'ё' if letter.begins => "yo",
            'ё' => "io",
            other => return common(other),
        })
    })
}

/// A Russian text in Latin letters, as maps have it (BGN/PCGN 1947) without signs for hard and soft
/// letters, and with `yo` for ё.
///
/// Letters that only Ukrainian has, hryvnia and rouble signs, and [look-alikes](look_alike) are replaced
/// too; what is left stays as it is.
pub fn from_russian(text: &str) -> String {
    transliterated(text, |letter| {
        let open = letter.begins
            || letter
                .before
                .is_some_and(|before| "аеёиоуыэюяйъь".contains(before));
        Some(match letter.lower {
            'г' | 'ґ' => "g",
            'и' => "i",
            'е' if open => "ye",
            'й' => "y",
            'ё' => "yo",
            'ю' => "yu",
            'я' => "ya",
            'є' => "ye",
            'ї' => "yi",
            other => return common(other),
        })
    })
}

/// The letters that both tables write in the same way.
fn common(lower: char) -> Option<&'static str> {
    Some(match lower {
        'а' => "a",
        'б' => "b",
        'в' => "v",
        'д' => "d",
        'е' | 'э' => "e",
        'ж' => "zh",
        'з' => "z",
        'і' => "i",
        'к' => "k",
        'л' => "l",
        'м' => "m",
        'н' => "n",
        'о' => "o",
        'п' => "p",
        'р' => "r",
        'с' => "s",
        'т' => "t",
        'у' => "u",
        'ф' => "f",
        'х' => "kh",
        'ц' => "ts",
        'ч' => "ch",
        'ш' => "sh",
        'щ' => "shch",
        'ы' => "y",
        // The last is a stress mark.
        'ь' | 'ъ' | '\u{301}' => "",
        '₴' => "UAH",
        '₽' => "RUB",
        _ => return None,
    })
}

/// A letter and what its spelling depends on.
struct Letter {
    lower: char,
    /// The letter before it in its word, in lower case.
    before: Option<char>,
    /// Is it the first of its word? An apostrophe does not end a word.
    begins: bool,
}

fn transliterated(text: &str, table: impl Fn(&Letter) -> Option<&'static str>) -> String {
    let mut latin = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut before: Option<char> = None;
    let mut within = false;
    while let Some(character) = characters.next() {
        let after = characters.peek().copied();
        if within && is_apostrophe(character) && after.is_some_and(is_cyrillic) {
            before = None;
            continue;
        }
        let letter = Letter {
            lower: lower(character),
            before: before.map(lower),
            begins: !within,
        };
        match table(&letter) {
            Some(small) if character == letter.lower => latin.push_str(small),
            Some(small) => capital(&mut latin, small, before, after),
            None if alphabet::width(character).is_some() => latin.push(character),
            None => match look_alike(character) {
                Some(same) => latin.push_str(same),
                None => latin.push(character),
            },
        }
        within = is_cyrillic(character);
        before = within.then_some(character);
    }
    latin
}

/// Appends a capital: all of it in capitals where its neighbour is one, else the first letter only.
fn capital(latin: &mut String, small: &str, before: Option<char>, after: Option<char>) {
    let neighbour = after.filter(|after| is_cyrillic(*after)).or(before);
    if neighbour.is_some_and(char::is_uppercase) {
        latin.extend(small.chars().map(|letter| letter.to_ascii_uppercase()));
    } else {
        let mut letters = small.chars();
        latin.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        latin.push_str(letters.as_str());
    }
}

/// The small letter; Cyrillic letters have one of a single character each.
fn lower(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

/// Letters of the Cyrillic block, and the stress mark that stands among them.
fn is_cyrillic(character: char) -> bool {
    matches!(character, '\u{400}'..='\u{481}' | '\u{48A}'..='\u{52F}' | '\u{301}')
}

fn is_apostrophe(character: char) -> bool {
    matches!(
        character,
        '\'' | '\u{2019}' | '\u{2BC}' | '\u{2018}' | '`' | '´'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_in_their_order() {
        let stranger = |character, first, times| Stranger {
            character,
            first,
            times,
        };
        assert_eq!(strangers("Price: 10 € [now]"), []);
        assert_eq!(
            strangers("é – «ї» – 😀"),
            [
                stranger('–', 2, 2),
                stranger('«', 4, 1),
                stranger('ї', 5, 1),
                stranger('»', 6, 1),
                stranger('😀', 10, 1),
            ]
        );
    }

    #[test]
    fn texts_that_look_the_same() {
        const CASES: &[(&str, Option<&str>)] = &[
            ("plain é €", Some("plain é €")),
            ("“Don’t” – he said…", Some("\"Don't\" - he said...")),
            ("10\u{A0}000\u{202F}km", Some("10 000 km")),
            ("a\u{200B}b\u{FEFF}\tc", Some("ab c")),
            ("«№ 5»", Some("\"No 5\"")),
            // Cyrillic, then Greek capitals that look Latin; those with a code stay.
            ("СМС", Some("CMC")),
            ("ΑΘΗΝΑ", Some("AΘHNA")),
            ("Київ", None),
            ("ok 😀", None),
            ("", Some("")),
        ];
        for &(text, same) in CASES {
            assert_eq!(looks_the_same(text).as_deref(), same, "{text}");
        }
    }

    #[test]
    fn the_least_that_makes_a_text_cheap() {
        use Way::{LookAlikes, Russian, Ukrainian};
        const CASES: &[(&str, Option<(&str, Way)>)] = &[
            ("plain é €", None),
            ("10 – 12", Some(("10 - 12", LookAlikes))),
            ("СМС", Some(("CMC", LookAlikes))),
            ("Київ", Some(("Kyiv", Ukrainian))),
            ("готово", Some(("hotovo", Ukrainian))),
            ("Мы готовы", Some(("My gotovy", Russian))),
            ("ЁЛКА", Some(("YOLKA", Russian))),
            ("Київ 😀", None),
            ("", None),
        ];
        for &(text, expected) in CASES {
            let found = cheaper(text);
            let found = found.as_ref().map(|found| (found.text.as_str(), found.way));
            assert_eq!(found, expected, "{text}");
        }
        let found = cheaper("Київ").unwrap();
        assert_eq!(format!("{found:?}"), "Cheaper by ukrainian");
    }

    #[test]
    fn look_alikes_are_in_the_default_alphabet_and_only_for_strangers() {
        for character in ('\0'..='\u{FFFF}').filter(|c| look_alike(*c).is_some()) {
            let same = look_alike(character).unwrap();
            assert!(alphabet::septets(same).is_some(), "{character:?}");
            assert_eq!(alphabet::width(character), None, "{character:?}");
        }
    }

    /// Mostly the examples that stand in the resolution itself.
    #[test]
    fn ukrainian() {
        const CASES: &[(&str, &str)] = &[
            ("Алушта Андрій", "Alushta Andrii"),
            ("Борщагівка", "Borshchahivka"),
            (
                "Гадяч Згорани Розгон Галаґан Ґорґани",
                "Hadiach Zghorany Rozghon Halagan Gorgany",
            ),
            ("Єнакієве Гаєвич Короп'є", "Yenakiieve Haievych Koropie"),
            (
                "Житомир Запоріжжя Закарпаття",
                "Zhytomyr Zaporizhzhia Zakarpattia",
            ),
            ("Їжакевич Кадиївка Мар’їне", "Yizhakevych Kadyivka Marine"),
            ("Йосипівка Стрий Олексій", "Yosypivka Stryi Oleksii"),
            ("Харків Щербухи Гоща", "Kharkiv Shcherbukhy Hoshcha"),
            (
                "Юрій Корюківка Яготин Костянтин",
                "Yurii Koriukivka Yahotyn Kostiantyn",
            ),
            ("Знамʼянка Феодосія Русь", "Znamianka Feodosiia Rus"),
            ("УКРАЇНА, ЩО? Я тут", "UKRAINA, SHCHO? Ya tut"),
            ("ЗГІДНО КУЩ", "ZGHIDNO KUSHCH"),
            ("за\u{301}мок «Люкс» – 5₴", "zamok \"Liuks\" - 5UAH"),
            ("'Дім' 😀", "'Dim' 😀"),
        ];
        for &(text, latin) in CASES {
            assert_eq!(from_ukrainian(text), latin, "{text}");
        }
    }

    #[test]
    fn russian() {
        const CASES: &[(&str, &str)] = &[
            ("Заказ готов, приезжайте", "Zakaz gotov, priyezzhayte"),
            ("Ельцин Юлия Чебоксары", "Yeltsin Yuliya Cheboksary"),
            ("подъезд объявление вьюга", "podyezd obyavleniye vyuga"),
            ("Щёлково ёлка моё", "Shchyolkovo yolka moyo"),
            ("мне эта Новый Йод ночь", "mne eta Novyy Yod noch"),
            ("ХОРОШО, ЕЩЁ ЧАС", "KHOROSHO, YESHCHYO CHAS"),
            ("№ 5 — «да» 10₽", "No 5 - \"da\" 10RUB"),
        ];
        for &(text, latin) in CASES {
            assert_eq!(from_russian(text), latin, "{text}");
        }
    }

    #[test]
    fn every_letter_of_both_languages_becomes_cheap() {
        let letters = "абвгґдеєжзиіїйклмнопрстуфхцчшщьюяёъыэ";
        let all = letters.to_owned() + &letters.to_uppercase();
        for latin in [from_ukrainian(&all), from_russian(&all)] {
            assert_eq!(strangers(&latin), [], "{latin}");
        }
    }
}
