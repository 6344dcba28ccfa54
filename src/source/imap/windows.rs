//! Ranges of UIDs that are scanned at once, newest last.

/// Windows of so many UIDs, newest last.
pub(super) fn by_number(open: &[(u32, u32)], first: u32, size: u32) -> Vec<(u32, u32)> {
    let mut windows = Vec::new();
    for &(low, high) in open {
        let mut top = high;
        loop {
            let step = if windows.is_empty() { first } else { size };
            let bottom = top.saturating_sub(step - 1).max(low);
            windows.push((bottom, top));
            if bottom == low {
                break;
            }
            top = bottom - 1;
        }
    }
    windows.reverse();
    windows
}

/// Windows that begin at the given UIDs, newest last.
pub(super) fn by_cuts(open: &[(u32, u32)], cuts: &[u32]) -> Vec<(u32, u32)> {
    let mut windows = Vec::new();
    for &(low, high) in open {
        let mut top = high;
        for &cut in cuts.iter().rev().filter(|&&cut| low < cut && cut <= high) {
            windows.push((cut, top));
            top = cut - 1;
        }
        windows.push((low, top));
    }
    windows.reverse();
    windows
}

/// Makes one window of two, beyond the newest `kept`, where it holds at most `most` UIDs.
pub(super) fn widen(windows: &mut Vec<(u32, u32)>, kept: usize, most: u32) {
    let Some(at) = windows.len().checked_sub(kept + 2) else { return };
    if let Some(&[(low, below), (above, high)]) = windows.get(at..at + 2)
        && below.checked_add(1) == Some(above)
        && high - low < most
    {
        windows.splice(at..at + 2, [(low, high)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_everything_newest_last() {
        assert_eq!(by_number(&[(90, 100), (1, 50)], 5, 20), [(1, 10), (11, 30), (31, 50), (90, 95), (96, 100)]);
        assert_eq!(by_number(&[(7, 7)], 500, 2000), [(7, 7)]);
        assert_eq!(by_cuts(&[(1, 5_000_000)], &[70, 90_000]), [(1, 69), (70, 89_999), (90_000, 5_000_000)]);
        let mut windows = vec![(1, 10), (11, 30), (31, 50), (90, 95), (96, 100)];
        widen(&mut windows, 2, 40);
        assert_eq!(windows, [(1, 10), (11, 50), (90, 95), (96, 100)]);
        widen(&mut windows, 2, 40);
        widen(&mut windows, 1, 100);
        assert_eq!(windows, [(1, 10), (11, 50), (90, 95), (96, 100)], "too wide, or not side by side");
        assert_eq!(by_cuts(&[(100, 200), (1, 50)], &[10, 100, 150]), [(1, 9), (10, 50), (100, 149), (150, 200)]);
    }
}
