//! The provinces and departments that exist, by INDEC code.

use foldhash::HashSet;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Geography {
    provinces: HashSet<i16>,
    departments: HashSet<i32>,
}

impl Geography {
    pub fn new(provinces: impl IntoIterator<Item = i16>, departments: impl IntoIterator<Item = i32>) -> Self {
        Self { provinces: provinces.into_iter().collect(), departments: departments.into_iter().collect() }
    }

    /// Returns the largest code of a department, or of a province as that of its department 0.
    pub fn largest_code(&self) -> i32 {
        let provinces = self.provinces.iter().map(|province| i32::from(*province) * 1000);
        self.departments.iter().copied().chain(provinces).max().unwrap_or_default()
    }

    /// Returns the code as it is in the table, if the province exists.
    pub fn province(&self, code: u64) -> Option<i16> {
        let code = i16::try_from(code).ok()?;
        self.provinces.contains(&code).then_some(code)
    }

    /// Returns the full code of a department (province * 1000 + department), if the province has it.
    pub fn department(&self, province: i16, code: u64) -> Option<i32> {
        let code = i32::try_from(code).ok().filter(|code| *code < 1000)?;
        let full = i32::from(province) * 1000 + code;
        self.departments.contains(&full).then_some(full)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn department_belongs_to_one_province() {
        let geography = Geography::new([6, 2], [6441, 2007]);
        assert_eq!(geography.province(6), Some(6));
        assert_eq!(geography.province(99), None);
        assert_eq!(geography.province(65_542), None, "65,542 is 6 in sixteen bits");
        assert_eq!(geography.department(6, 441), Some(6441));
        assert_eq!(geography.department(2, 441), None);
        assert_eq!(geography.department(2, 4441), None, "2,000 + 4,441 is another province's department");
    }
}
