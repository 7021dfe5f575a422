//! Levels by environment, as the policy of the checklists has them (section "Policy by environment").

use lockgate::rules::by_id;
use lockgate::settings::Environment;

#[test]
fn levels_follow_the_policy_of_each_environment() {
    // local, CI, shared dev, staging, production
    let policy = [
        ("missing-lock-timeout", "off warning error error error"),
        ("missing-statement-timeout", "off warning error error error"),
        ("table-dropped", "info info warning error error"),
        ("table-truncated", "info info warning error error"),
        ("column-dropped", "info info warning warning warning"),
        ("missing-down", "warning error error error error"),
        ("empty-down", "warning error error error error"),
        ("maintenance-window-required", "off off off off error"),
        ("syntax-error", "error error error error error"),
    ];
    for (id, expected) in policy {
        let rule = by_id(id).unwrap();
        let levels = Environment::ALL.map(|environment| {
            let level = rule.level_in(environment);
            level.map_or("off", |level| level.as_str())
        });
        assert_eq!(levels.join(" "), expected, "{id}");
    }
}
