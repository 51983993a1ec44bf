//! Quantiles of the gamma distribution.

use statrs::distribution::{Continuous as _, ContinuousCDF as _, Gamma};

/// Returns the quantile of the gamma distribution with this shape and scale, both above 0.
///
/// The unit-scale quantile is multiplied by the scale, so that tiny scales cost no precision. Returns NaN if the shape is no valid
/// parameter.
pub(crate) fn gamma_quantile(probability: f64, shape: f64, scale: f64) -> f64 {
    Gamma::new(shape, 1.0).map_or(f64::NAN, |gamma| unit_quantile(&gamma, probability) * scale)
}

/// Adds a Newton step to the library's quantile, which ends at a relative 1e-9.
fn unit_quantile(gamma: &Gamma, probability: f64) -> f64 {
    let rough = gamma.inverse_cdf(probability);
    let step = (gamma.cdf(rough) - probability) / gamma.pdf(rough);
    if step.abs() < rough * 1e-6 { rough - step } else { rough }
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
