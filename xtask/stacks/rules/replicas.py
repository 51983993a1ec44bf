"""A replica has the settings that it must share with its master, grows as its master does, and is patched before it.

Sources: PostgreSQL, "Hot Standby", Administrator's Overview; Amazon RDS User Guide, "Managing capacity automatically with Amazon RDS
storage autoscaling" and "Upgrades of the RDS for PostgreSQL DB engine".
"""

from rules import properties, references

# A replica does not start with a lower value than its master's. RDS derives the first two from the size of the instance.
BY_SIZE = ["max_connections", "max_worker_processes"]
SHARED = [*BY_SIZE, "max_wal_senders", "max_prepared_transactions", "max_locks_per_transaction"]

DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def faults(templates):
    for stack, logical, replica in properties(templates, "AWS::RDS::DBInstance"):
        source = next(references(replica.get("SourceDBInstanceIdentifier", {})), None)
        if source is None:
            continue
        where = f"{stack}: {logical}"
        master = templates[stack]["Resources"][source]["Properties"]
        theirs, ours = (settings(templates[stack], instance) for instance in (master, replica))
        for name in SHARED:
            if theirs.get(name) != ours.get(name) or (name in BY_SIZE and name not in ours):
                yield f"{where}: `{name}` is {ours.get(name)}, and its master's is {theirs.get(name)}"
        if replica.get("MaxAllocatedStorage") != master.get("MaxAllocatedStorage"):
            yield f"{where}: its MaxAllocatedStorage is not its master's"
        first, second = (instance.get("PreferredMaintenanceWindow", "") for instance in (replica, master))
        if not ends(first) <= begins(second):
            yield f"{where}: its maintenance window {first} is not over before its master's, {second}"


def settings(template, instance):
    group = next(references(instance.get("DBParameterGroupName", {})), None)
    return template["Resources"][group]["Properties"]["Parameters"] if group else {}


def begins(window):
    return minutes(window.split("-")[0]) if window else -1


def ends(window):
    return minutes(window.split("-")[1]) if window else 0


def minutes(moment):
    day, hour, minute = moment.split(":")
    return (DAYS.index(day.lower()) * 24 + int(hour)) * 60 + int(minute)
