//! How likely a hand that meant one text typed another: swaps, dropped, doubled and neighbouring letters.
//!
//! Owns the weighted Damerau alignment (optimal string alignment) and the words for what was found.
//! Knows nothing of domains or people. Shares of the kinds follow the counts in 1.47 million addresses: swaps 37 %,
//! dropped letters 41 %, replaced ones 23 % (most of them endings, which `domain` weighs); doubled and added letters estimated.

use super::data::data;

/// Costs in nats (negative natural logarithm of the share among slips), before the choice of the place.
const SWAP: f32 = 1.05;
const DROP: f32 = 1.1;
const DROP_DOUBLE: f32 = 0.6;
const DROP_DOT: f32 = 0.8;
const DOUBLE: f32 = 2.6;
const ADD_NEIGHBOUR: f32 = 4.6;
const ADD: f32 = 7.0;
const REPLACE_NEIGHBOUR: f32 = 3.9;
const REPLACE_VOWEL: f32 = 4.2;
const REPLACE_SOUND: f32 = 4.4;
const REPLACE_DOT: f32 = 2.0;
const REPLACE: f32 = 6.6;
const REPLACE_DIGIT: f32 = 9.5;
/// A slip in the first letter is rarer than elsewhere.
const FIRST: f32 = 0.7;
/// Once a hand has slipped, the chance of a second slip in the same word (nats).
const AGAIN: f32 = 2.3;

/// What one step of the alignment did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Same,
    Swap,
    Drop,
    Add,
    Double,
    Replace(bool), // true: a neighbouring key
}

/// The likeliest way from the text meant to the text typed.
#[derive(Debug, Clone)]
pub(super) struct Slip {
    /// Nats: 0 when equal.
    pub(super) cost: f32,
    /// Edits, each with the letters concerned.
    pub(super) edits: Vec<(Step, String)>,
}

impl Slip {
    /// "one swap away", "one letter missing (m)" ...
    pub(super) fn words(&self) -> String {
        match self.edits.as_slice() {
            [] => "same".to_owned(),
            [(step, letters)]
                if !letters.chars().all(char::is_alphabetic) && letters.chars().count() == 1 && letters != "." =>
            {
                match step {
                    Step::Drop => format!("{letters} missing"),
                    _ => format!("{letters} too many"),
                }
            }
            [(step, letters)] => match step {
                Step::Same => "same".to_owned(),
                Step::Swap => "one swap away".to_owned(),
                Step::Drop if letters == "." => "a dot is missing".to_owned(),
                Step::Drop => format!("one letter missing ({letters})"),
                Step::Double => format!("one letter doubled ({letters})"),
                Step::Add => format!("one letter too many ({letters})"),
                Step::Replace(true) => format!("one neighbouring key ({letters})"),
                Step::Replace(false) => format!("one letter differs ({letters})"),
            },
            more => format!("{} slips away", more.len()),
        }
    }
}

fn is_vowel(c: char) -> bool {
    matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y')
}

fn sounds_alike(a: char, b: char) -> bool {
    const PAIRS: [(char, char); 9] =
        [('c', 'k'), ('s', 'z'), ('c', 's'), ('d', 't'), ('b', 'p'), ('m', 'n'), ('v', 'w'), ('f', 'v'), ('i', 'l')];
    PAIRS.iter().any(|&(x, y)| (a, b) == (x, y) || (a, b) == (y, x))
}

fn separator(c: char) -> bool {
    matches!(c, '.' | ',' | ';' | ':' | '-' | '_' | '/' | ' ')
}

fn replace_cost(meant: char, typed: char) -> f32 {
    if meant.is_ascii_digit() && typed.is_ascii_digit() {
        REPLACE_DIGIT
    } else if meant == '.' && separator(typed) {
        REPLACE_DOT
    } else if data().neighbours(meant, typed) {
        REPLACE_NEIGHBOUR
    } else if is_vowel(meant) && is_vowel(typed) {
        REPLACE_VOWEL
    } else if sounds_alike(meant, typed) || matches!((meant, typed), ('o', '0') | ('0', 'o') | ('l', '1') | ('1', 'l'))
    {
        REPLACE_SOUND
    } else {
        REPLACE
    }
}

fn drop_cost(meant: &[char], at: usize) -> f32 {
    let Some(&letter) = meant.get(at) else { return f32::INFINITY };
    let before = at.checked_sub(1).and_then(|before| meant.get(before));
    if before == Some(&letter) || meant.get(at + 1) == Some(&letter) {
        DROP_DOUBLE
    } else if letter == '.' {
        DROP_DOT
    } else {
        DROP + if letter.is_ascii_digit() { 3.0 } else { 0.0 }
    }
}

fn add_cost(meant: &[char], at: usize, letter: char) -> (f32, Step) {
    let before = at.checked_sub(1).and_then(|before| meant.get(before)).copied();
    let after = meant.get(at).copied();
    if before == Some(letter) || after == Some(letter) {
        return (DOUBLE, Step::Double);
    }
    let near = [before, after].into_iter().flatten().any(|other| data().neighbours(other, letter));
    let cost = if letter.is_ascii_digit() {
        ADD + 1.5
    } else if near {
        ADD_NEIGHBOUR
    } else {
        ADD
    };
    (cost, Step::Add)
}

/// Aligns two texts; `None` when they are further apart than `most` edits (at most 2 make sense here).
pub(super) fn slip(meant: &str, typed: &str, most: usize) -> Option<Slip> {
    let meant: Vec<char> = meant.chars().collect();
    let typed: Vec<char> = typed.chars().collect();
    if meant.len().abs_diff(typed.len()) > most || meant.len() > 253 {
        return None;
    }
    let place = (meant.len().max(1) as f32).ln();
    let width = typed.len() + 1;
    let mut cells: Vec<Cell> = vec![Cell::FAR; (meant.len() + 1) * width];
    let get = |cells: &[Cell], row: usize, column: usize| cells.get(row * width + column).copied().unwrap_or(Cell::FAR);
    for row in 0..=meant.len() {
        let mut nearest = u8::MAX;
        for column in row.saturating_sub(most)..=(row + most).min(typed.len()) {
            let mut best = if row == 0 && column == 0 { Cell::START } else { Cell::FAR };
            let mut try_step = |from: Cell, cost: f32, step: Step| {
                let edits = from.edits.saturating_add(u8::from(step != Step::Same));
                let again = if step != Step::Same && from.edits > 0 { AGAIN } else { 0.0 };
                let first = if step != Step::Same && row <= 1 && column <= 1 { FIRST } else { 0.0 };
                let cost = from.cost + if step == Step::Same { 0.0 } else { cost + place + again + first };
                if usize::from(edits) <= most && cost < best.cost {
                    best = Cell { cost, edits, step };
                }
            };
            let pair = |back: usize| {
                let meant = row.checked_sub(back).and_then(|at| meant.get(at));
                Some((*meant?, *column.checked_sub(back).and_then(|at| typed.get(at))?))
            };
            if let Some((a, b)) = pair(1) {
                let step = if a == b { Step::Same } else { Step::Replace(data().neighbours(a, b)) };
                try_step(get(&cells, row - 1, column - 1), if a == b { 0.0 } else { replace_cost(a, b) }, step);
                if let Some((before_a, before_b)) = pair(2)
                    && a == before_b
                    && b == before_a
                    && a != b
                {
                    try_step(get(&cells, row - 2, column - 2), SWAP, Step::Swap);
                }
            }
            if row > 0 {
                try_step(get(&cells, row - 1, column), drop_cost(&meant, row - 1), Step::Drop);
            }
            if let Some(&letter) = column.checked_sub(1).and_then(|at| typed.get(at)) {
                let (cost, step) = add_cost(&meant, row, letter);
                try_step(get(&cells, row, column - 1), cost, step);
            }
            nearest = nearest.min(if best.cost.is_finite() { best.edits } else { u8::MAX });
            if let Some(cell) = cells.get_mut(row * width + column) {
                *cell = best;
            }
        }
        if usize::from(nearest) > most {
            return None;
        }
    }
    let end = get(&cells, meant.len(), typed.len());
    end.cost.is_finite().then(|| Slip { cost: end.cost, edits: trace(&cells, width, &meant, &typed) })
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    cost: f32,
    edits: u8,
    step: Step,
}

impl Cell {
    const FAR: Self = Self { cost: f32::INFINITY, edits: u8::MAX, step: Step::Same };
    const START: Self = Self { cost: 0.0, edits: 0, step: Step::Same };
}

/// Walks back from the end and collects the edits in reading order.
fn trace(cells: &[Cell], width: usize, meant: &[char], typed: &[char]) -> Vec<(Step, String)> {
    let (mut row, mut column) = (meant.len(), typed.len());
    let mut edits = Vec::new();
    let letter = |text: &[char], at: usize| at.checked_sub(1).and_then(|at| text.get(at)).copied();
    while row > 0 || column > 0 {
        let Some(cell) = cells.get(row * width + column) else { break };
        let (rows, columns, letters) = match cell.step {
            Step::Same => (1, 1, None),
            Step::Swap => (2, 2, Some(String::new())),
            Step::Drop => (1, 0, letter(meant, row).map(String::from)),
            Step::Add | Step::Double => (0, 1, letter(typed, column).map(String::from)),
            Step::Replace(_) => {
                let pair = letter(meant, row).zip(letter(typed, column));
                (1, 1, pair.map(|(meant, typed)| format!("{typed} for {meant}")))
            }
        };
        if let Some(letters) = letters {
            edits.push((cell.step, letters));
        }
        row = row.saturating_sub(rows);
        column = column.saturating_sub(columns);
    }
    edits.reverse();
    edits
}

#[cfg(test)]
mod tests {
    use super::slip;

    #[test]
    fn slips_have_names() {
        for (meant, typed, want) in [
            ("gmail.com", "gamil.com", Some("one swap away")),
            ("gmail.com", "gmal.com", Some("one letter missing (i)")),
            ("gmail.com", "gnail.com", Some("one neighbouring key (n for m)")),
            ("gmail.com", "gmaill.com", Some("one letter doubled (l)")),
            ("gmail.com", "gmailcom", Some("a dot is missing")),
            ("gmail.com", "gmail,com", Some("one neighbouring key (, for .)")),
            ("gmail.com", "gamil.con", Some("2 slips away")),
            ("gmail.com", "gmail.com", Some("same")),
            ("gmail.com", "yahoo.com", None),
        ] {
            assert_eq!(slip(meant, typed, 2).map(|slip| slip.words()).as_deref(), want, "{typed}");
        }
    }

    #[test]
    fn a_swap_is_cheaper_than_a_strange_letter() {
        let cost = |typed: &str| slip("outlook.com", typed, 2).map_or(f32::INFINITY, |slip| slip.cost);
        assert!(cost("oultook.com") < cost("outlpok.com"));
        assert!(cost("outlpok.com") < cost("outlxok.com"));
        assert!(cost("outlxok.com") < cost("uotlxok.com"));
    }
}
