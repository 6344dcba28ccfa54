//! Draws inboxes, and addresses mistyped in the kinds and frequencies seen in practice. Seeded: the same on every machine.

use std::collections::HashSet;

use bounceback::model::Cause;
use bounceback::suggest::{Book, Named, Query, Suggestion, suggest};

pub(crate) const SEEDS: [u64; 5] = [1, 20_261_123, 0x5eed, 987_654_321, 31_337];

/// All seeds in an optimised build, two in a debug build, which is much slower.
pub(crate) fn seeds() -> &'static [u64] {
    if cfg!(debug_assertions) { &SEEDS[..2] } else { &SEEDS }
}

/// xorshift64*: enough to draw tests, the same on every machine.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Draws by weight.
    pub(crate) fn weighed<'a, T>(&mut self, of: &'a [(T, u32)]) -> &'a T {
        let all: u32 = of.iter().map(|(_, weight)| weight).sum();
        let mut at = self.below(all as usize) as u32;
        for (value, weight) in of {
            if at < *weight {
                return value;
            }
            at -= weight;
        }
        unreachable!()
    }
}

pub(crate) const FIRST: &[&str] = &[
    "anna", "jon", "maria", "peter", "olga", "felix", "sofia", "lars", "chen", "amara", "kofi", "yuki", "pavel",
    "lena", "marco", "giulia", "pierre", "ines", "tomasz", "ahmed", "priya", "emma", "noah", "carlos", "birgit",
    "sean", "fatima", "ivan", "kenji",
];
pub(crate) const LAST: &[&str] = &[
    "berg", "smith", "garcia", "mueller", "ivanov", "fischer", "rossi", "okafor", "tanaka", "kowalski", "martin",
    "jensen", "silva", "patel", "brown", "lee", "schmidt", "dubois", "novak", "haddad", "larsson", "clark", "weber",
    "bianchi", "sato", "wilson",
];
/// Providers as a mixed European and American inbox sees them.
pub(crate) const PROVIDERS: &[(&str, u32)] = &[
    ("gmail.com", 400),
    ("yahoo.com", 90),
    ("hotmail.com", 90),
    ("outlook.com", 70),
    ("icloud.com", 60),
    ("aol.com", 25),
    ("live.com", 15),
    ("msn.com", 10),
    ("gmx.de", 25),
    ("web.de", 25),
    ("gmx.net", 10),
    ("t-online.de", 12),
    ("freenet.de", 5),
    ("hotmail.co.uk", 10),
    ("yahoo.co.uk", 10),
    ("btinternet.com", 8),
    ("sky.com", 4),
    ("orange.fr", 12),
    ("wanadoo.fr", 8),
    ("free.fr", 8),
    ("laposte.net", 6),
    ("hotmail.fr", 10),
    ("yahoo.fr", 8),
    ("libero.it", 10),
    ("hotmail.it", 5),
    ("alice.it", 3),
    ("comcast.net", 12),
    ("verizon.net", 6),
    ("att.net", 5),
    ("sbcglobal.net", 5),
    ("protonmail.com", 10),
    ("me.com", 8),
    ("bluewin.ch", 4),
    ("ziggo.nl", 4),
    ("telenet.be", 3),
    ("wp.pl", 5),
    ("onet.pl", 3),
    ("seznam.cz", 4),
    ("mail.ru", 8),
    ("yandex.ru", 6),
    ("bigpond.com", 4),
    ("uol.com.br", 4),
    ("rediffmail.com", 3),
    ("mail.com", 3),
    ("ymail.com", 3),
];
pub(crate) const ENDINGS: &[(&str, u32)] = &[
    ("com", 40),
    ("de", 20),
    ("co.uk", 10),
    ("net", 6),
    ("org", 6),
    ("fr", 6),
    ("nl", 4),
    ("it", 4),
    ("eu", 3),
    ("io", 2),
    ("example", 15),
];

pub(crate) fn company(dice: &mut Dice) -> String {
    const A: &[&str] = &[
        "nord", "blue", "tech", "alpha", "metro", "green", "inter", "data", "euro", "prime", "silver", "stein", "vita",
        "terra", "micro", "omni", "sun", "wald", "kraft", "globe", "river", "atlas", "cedar", "fabri", "conto",
        "litware", "north", "wood", "tail", "ad",
    ];
    const B: &[&str] = &[
        "wind", "soft", "logix", "bau", "works", "media", "trade", "net", "line", "form", "tek", "vision", "care",
        "shop", "haus", "kam", "ware", "grove", "spin", "labs", "group", "foods", "parts", "bank", "druck", "print",
        "med", "cargo", "design", "plan",
    ];
    let (a, b) = (dice.pick(A), dice.pick(B));
    let joint = if dice.below(8) == 0 { "-" } else { "" };
    format!("{a}{joint}{b}.{}", dice.weighed(ENDINGS))
}

pub(crate) fn local(dice: &mut Dice) -> String {
    let (first, last) = (*dice.pick(FIRST), *dice.pick(LAST));
    let number = dice.below(90) + 7;
    match dice.below(6) {
        0 | 1 => format!("{first}.{last}"),
        2 => format!("{}{last}", &first[..1]),
        3 => format!("{first}_{last}{number}"),
        4 => format!("{last}{number}"),
        _ => format!("{first}{last}"),
    }
}

/// An address book: some hundred companies with a few people each, and people at providers.
pub(crate) struct World {
    pub(crate) book: Book,
    pub(crate) companies: Vec<(String, u32)>,
    pub(crate) domains: HashSet<String>,
}

pub(crate) fn world(dice: &mut Dice) -> World {
    let mut book = Book::new(&["company.example".to_owned()], &["support@company.example".to_owned()]);
    let mut companies = Vec::new();
    let mut domains: HashSet<String> = PROVIDERS.iter().map(|(domain, _)| (*domain).to_owned()).collect();
    while companies.len() < 400 {
        let domain = company(dice);
        if domains.insert(domain.clone()) {
            companies.push((domain, 1 + 400 / (companies.len() as u32 + 4)));
        }
    }
    for (domain, weight) in &companies {
        for _ in 0..1 + weight / 8 {
            book.add_correspondent(&format!("{}@{domain}", local(dice)), 1 + dice.below(9) as u32);
        }
    }
    for _ in 0..1500 {
        let domain = *dice.weighed(PROVIDERS);
        book.add_correspondent(&format!("{}@{domain}", local(dice)), 1 + dice.below(5) as u32);
    }
    World { book, companies, domains }
}

/// Kinds of slips with their counts among 1.47 million addresses (gamil, gmali, icluod 3019; gmil, gmai, iclud, hotmil 2837;
/// .co 516; .con 1512; gnail 335), and about a tenth of further kinds that were not counted there.
pub(crate) const KINDS: &[(&str, u32)] = &[
    ("swap", 3019),
    ("drop", 2837),
    ("co", 516),
    ("con", 1512),
    ("neighbour", 335),
    ("double", 250),
    ("no dot", 100),
    ("comma", 100),
    ("cmo", 100),
    ("two slips", 150),
    ("other letter", 60),
    ("added", 60),
    ("www", 30),
    ("end dot", 30),
];

pub(crate) fn beside(key: char) -> &'static str {
    let keys = [
        ('a', "qsz"),
        ('b', "vnhg"),
        ('c', "xvdf"),
        ('d', "sfecx"),
        ('e', "wrds"),
        ('f', "dgrvc"),
        ('g', "fhtbv"),
        ('h', "gjynb"),
        ('i', "uokj"),
        ('j', "hkunm"),
        ('k', "jlim"),
        ('l', "kop"),
        ('m', "njk"),
        ('n', "bmhj"),
        ('o', "ipkl"),
        ('p', "ol"),
        ('q', "wa"),
        ('r', "etfd"),
        ('s', "adwxz"),
        ('t', "rygf"),
        ('u', "yihj"),
        ('v', "cbfg"),
        ('w', "qesa"),
        ('x', "zcsd"),
        ('y', "tuhg"),
        ('z', "xsa"),
    ];
    keys.iter().find(|(k, _)| *k == key).map_or("", |(_, near)| near)
}

/// The domain as a slipping hand types it; `None` where this kind of slip is not possible here.
pub(crate) fn mistype(dice: &mut Dice, domain: &str, kind: &str) -> Option<String> {
    let dot = domain.find('.')?;
    let (name, ending) = (&domain[..dot], &domain[dot + 1..]);
    let mut letters: Vec<char> = name.chars().collect();
    let at = dice.below(letters.len());
    let com = ending == "com";
    let with = |letters: Vec<char>| format!("{}.{ending}", letters.into_iter().collect::<String>());
    let typed = match kind {
        "swap" => {
            letters.get(at + 1)?;
            letters.swap(at, at + 1);
            with(letters)
        }
        "drop" => {
            letters.remove(at);
            (!letters.is_empty()).then(|| with(letters))?
        }
        "double" => {
            letters.insert(at, letters[at]);
            with(letters)
        }
        "neighbour" => {
            let near: Vec<char> = beside(letters[at]).chars().collect();
            letters[at] = *near.get(dice.below(near.len().max(1)))?;
            with(letters)
        }
        "other letter" => {
            letters[at] = char::from(b'a' + dice.below(26) as u8);
            with(letters)
        }
        "added" => {
            let near: Vec<char> = beside(letters[at]).chars().collect();
            letters.insert(at, *near.get(dice.below(near.len().max(1)))?);
            with(letters)
        }
        "two slips" => {
            let once = mistype(dice, domain, "swap")?;
            return mistype(dice, &once, if com { "con" } else { "drop" });
        }
        "con" if com => format!("{name}.con"),
        "co" if com => format!("{name}.co"),
        "cmo" if com => format!("{name}.cmo"),
        "no dot" => domain.replacen('.', "", 1),
        "comma" => domain.replacen('.', ",", 1),
        "www" => format!("www.{domain}"),
        "end dot" => format!("{domain}.."),
        _ => return None,
    };
    (typed != domain).then_some(typed)
}

pub(crate) struct Typo {
    pub(crate) typed: String,
    pub(crate) meant: String,
    pub(crate) kind: &'static str,
    pub(crate) cause: Cause,
}

pub(crate) fn typos(dice: &mut Dice, world: &World, count: usize) -> Vec<Typo> {
    let mut found = Vec::new();
    while found.len() < count {
        let domain = if dice.below(100) < 65 {
            (*dice.weighed(PROVIDERS)).to_owned()
        } else {
            dice.weighed(&world.companies).clone()
        };
        let kind = *dice.weighed(KINDS);
        let Some(typed) = mistype(dice, &domain, kind) else { continue };
        // What hits another real domain looks right to everybody: no program can tell, and nothing of this kind bounces.
        if world.domains.contains(&typed) {
            continue;
        }
        let causes =
            [(Cause::DomainUnknown, 65), (Cause::DomainNoMail, 10), (Cause::MailboxUnknown, 10), (Cause::Unclear, 15)];
        let local = local(dice);
        let cause = *dice.weighed(&causes);
        found.push(Typo { typed: format!("{local}@{typed}"), meant: format!("{local}@{domain}"), kind, cause });
    }
    found
}

/// The question of an address at fault, with what is known beside it.
pub(crate) fn query<'a>(failed: &'a str, cause: Cause, named: &'a [Named]) -> Query<'a> {
    Query { failed, cause, address_at_fault: true, display_name: None, named, corrected_to: None }
}

pub(crate) fn ask(failed: &str, cause: Cause, book: &Book) -> Vec<Suggestion> {
    suggest(&query(failed, cause, &[]), book)
}
