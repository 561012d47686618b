//! The chart: time over floor, a bar for each library in each row. The shorter the better; 1 is the floor.

use crate::arguments::Figure;
use crate::floor;
use crate::results::{Results, RowResults};
use std::fmt::Write as _;

const COLOURS: [&str; 8] = ["#c0392b", "#1f77b4", "#5aa5d8", "#9ccbea", "#7f8c8d", "#b0b8ba", "#f39c12", "#27ae60"];
const LEFT: f64 = 310.0;
const WIDTH: f64 = 600.0;
const BAR: f64 = 7.0;
/// Longer bars are cut there, with their value beside them.
const MOST: f64 = 5.0;

pub(crate) fn draw(results: &Results, figure: Figure) -> String {
    let mut body = String::new();
    let mut y = 60.0;
    for row in &results.rows {
        let Some(floor) = floor::of(results, &row.work, figure) else { continue };
        for (side, floor) in floor.into_iter().enumerate() {
            y = group(&mut body, row, figure, (side, floor), y);
        }
    }
    let height = y + 20.0;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0} {height:.0}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"10\" y=\"20\" font-size=\"15\">Time over floor: the shorter the better, 1 is the bare primitives</text>\n",
        LEFT + WIDTH + 60.0
    );
    let mut x = 10.0;
    for (library, colour) in results.libraries.iter().zip(COLOURS) {
        let _infallible = writeln!(
            svg,
            "<rect x=\"{x:.0}\" y=\"32\" width=\"10\" height=\"10\" fill=\"{colour}\"/>\
             <text x=\"{:.0}\" y=\"41\">{}</text>",
            x + 14.0,
            library.name
        );
        x += 40.0 + 6.0 * library.name.len() as f64;
    }
    let scale = WIDTH / MOST;
    for tick in 1..=5 {
        let x = LEFT + f64::from(tick) * scale;
        let colour = if tick == 1 { "black" } else { "#dddddd" };
        let _infallible =
            writeln!(svg, "<line x1=\"{x:.0}\" x2=\"{x:.0}\" y1=\"52\" y2=\"{:.0}\" stroke=\"{colour}\"/>", y - 4.0);
    }
    svg + &body + "</svg>\n"
}

/// One row's side; gives where the next one begins.
fn group(body: &mut String, row: &RowResults, figure: Figure, side: (usize, f64), y: f64) -> f64 {
    let (at, floor) = side;
    let names = if row.id.starts_with("bulk") { ["send", "receive"] } else { ["client", "server"] };
    let _infallible = writeln!(body, "<text x=\"10\" y=\"{:.0}\">{}, {}</text>", y + 10.0, row.title, names[at]);
    let mut bottom = y;
    for (cell, colour) in row.cells.iter().zip(COLOURS) {
        let Some(sides) = cell.sides(figure) else { continue };
        let ratio = sides[at] / floor;
        let width = ratio.min(MOST) * WIDTH / MOST;
        let _infallible = writeln!(
            body,
            "<rect x=\"{LEFT:.0}\" y=\"{bottom:.1}\" width=\"{width:.1}\" height=\"{BAR:.1}\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"7\">{ratio:.2}</text>",
            LEFT + width + 3.0,
            bottom + 6.5
        );
        bottom += BAR;
    }
    bottom.max(y + BAR * 2.0) + 6.0
}
