"""From the service as it was found to the plan: what the procedure intends to do, its steps and its checks."""

from __future__ import annotations

import dataclasses

from procedures.decide import plan
from procedures.decide.accepted import Compared
from procedures.observe.moments.snapshot import Looks
from procedures.run.procedure import Intent, Procedure, Service
from procedures.steps import own_scripts, stop_and_start
from procedures.target.steps_by import START, script
from reports.record.evidence import Check, Plan, Step, Way


def intent_of(procedure: Procedure, service: Service) -> Intent:
    """Ask the procedure what it intends to do, and let the observers look at what that needs."""
    observers = service.observers
    if procedure.archived and script(observers.target.steps, START):
        # What a script would start must be known before anything that depends on it is planned.
        pulled_first = procedure.pulls_first and service.container is not None
        observers.start.foresee(service.containers[0].image_id if pulled_first else "")
    intent = procedure.intend(service)
    if intent.start is not None:
        observers.start.choose(intent.start)
    return intent


def looks_of(procedure: Procedure, intent: Intent) -> Looks:
    """Return what a procedure has looked at besides, before anything is changed."""
    pulls = intent.announcement is not None and intent.announcement.pulls
    return Looks(registry=pulls, present_view=procedure.returns, new_settings=intent.applies)


def plan_of(procedure: Procedure, service: Service, intent: Intent, claims: tuple[Check, ...]) -> Plan:
    """Freeze the steps and checks of an intent."""
    observers, target = service.observers, service.observers.target
    state, acts = plan.state_of(service.containers), procedure.acts and not intent.recovery.stands
    steps = _steps(service, intent, state) if acts and not intent.nothing_new else ()
    situation = plan.Situation(
        state,
        own_scripts.has_health_check(target, observers.operator_rendering, service.containers),
        has_baseline=procedure.acts or intent.compared != Compared(),
        has_dashboards=bool(target.dashboards),
        engine_elsewhere=observers.engine.engine().elsewhere,
        nothing_new=bool(intent.nothing_new),
        stands=intent.recovery.stands,
        lacking=own_scripts.lacking(target, observers.driver) | dict(intent.without),
    )
    checks = plan.checks_of(procedure, claims, situation)
    worst = service.grace + target.budgets.boot + (target.budgets.gateway or 0.0)
    if any(one.way is Way.BACK for one in steps):
        worst *= 2
    untried = intent.announcement.untried if intent.announcement else ()
    return plan.make(procedure, state, steps, checks, worst if acts else None, untried=untried)


def _steps(service: Service, intent: Intent, state: plan.State) -> tuple[Step, ...]:
    """Return the steps; those that change nothing come first."""
    driver, budgets = service.observers.driver, service.observers.target.budgets
    acting = stop_and_start.steps(driver, state, service.grace, budgets.boot, budgets.save_logs)
    acting = own_scripts.planned(acting, driver, budgets.save_logs)
    prepared = tuple(step for one in intent.prepare for step in one.steps)
    # If a way back is kept, it undoes a step; otherwise the start itself does.
    back = next((one.way_back for one in prepared if one.way is Way.BACK), "")
    acting = tuple(
        dataclasses.replace(one, way_back=back) if back and one.changing else one for one in acting
    )
    steps = (*intent.first, *acting, *prepared)
    return (*(one for one in steps if not one.changing), *(one for one in steps if one.changing))
