//! Quantiles of the gamma distribution.

use statrs::distribution::{Continuous as _, ContinuousCDF as _, Gamma, Normal};

/// Newton steps; four are enough from a good start.
const STEPS: usize = 20;
/// The relative size of a last step: the error after it is about its square.
const LAST_STEP: f64 = 1e-9;

/// Returns the quantile of the gamma distribution with this shape and scale, both above 0.
///
/// The unit-scale quantile is multiplied by the scale, so that tiny scales cost no precision. Returns NaN if the shape is no valid
/// parameter.
pub(crate) fn gamma_quantile(probability: f64, shape: f64, scale: f64) -> f64 {
    let Ok(gamma) = Gamma::new(shape, 1.0) else { return f64::NAN };
    let quantile = approximation(probability, shape).and_then(|start| newton(&gamma, probability, start));
    // The library's own search is a hundred times slower for large shapes, and ends at a relative 1e-9.
    quantile.unwrap_or_else(|| gamma.inverse_cdf(probability)) * scale
}

/// Wilson and Hilferty (1931): the cube root of a gamma variable is nearly normal. None where this is below zero.
fn approximation(probability: f64, shape: f64) -> Option<f64> {
    let spread = 1.0 / (9.0 * shape);
    let root = 1.0 - spread + Normal::standard().inverse_cdf(probability) * spread.sqrt();
    (root > 0.0).then(|| shape * root.powi(3))
}

fn newton(gamma: &Gamma, probability: f64, start: f64) -> Option<f64> {
    let mut x = start;
    for _ in 0..STEPS {
        let step = (gamma.cdf(x) - probability) / gamma.pdf(x);
        x -= step;
        if !(x.is_finite() && x > 0.0) {
            return None;
        }
        if step.abs() <= LAST_STEP * x {
            return Some(x);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The distribution function for an integer shape, in closed form: 1 − e^−x Σ x^k / k!.
    fn erlang_cdf(shape: u32, x: f64) -> f64 {
        let mut term = (-x).exp();
        let mut above = term;
        for k in 1..shape {
            term *= x / f64::from(k);
            above += term;
        }
        1.0 - above
    }

    #[test]
    fn gamma_quantile_of_integer_shapes_inverts_closed_form_to_1e_10() {
        for shape in [1, 2, 5, 17, 60, 200] {
            for probability in [0.025, 0.1, 0.5, 0.9, 0.975] {
                let x = gamma_quantile(probability, f64::from(shape), 1.0);
                let step = x * 1e-10;
                let (below, above) = (erlang_cdf(shape, x - step), erlang_cdf(shape, x + step));
                assert!(below <= probability && probability <= above, "shape {shape}, p {probability}: {x}");
            }
        }
    }

    #[test]
    fn gamma_quantile_of_shape_one_is_exponential() {
        for probability in [0.025_f64, 0.5, 0.975] {
            let expected = -(-probability).ln_1p() * 3.5;
            let got = gamma_quantile(probability, 1.0, 3.5);
            assert!((got / expected - 1.0).abs() < 1e-12, "{got} is not {expected}");
        }
    }

    #[test]
    fn gamma_quantile_of_huge_shape_approaches_normal() {
        let shape = 4e6_f64;
        let got = (gamma_quantile(0.975, shape, 1.0) - shape) / shape.sqrt();
        assert!((got - 1.959_963_985).abs() < 2e-3, "{got}");
    }
}
