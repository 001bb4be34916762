"""Which test exercises what the seed says, through a face that people or jobs use."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path

from tests.seed_steps import How

ROOT = Path(__file__).parent.parent

STORY = "tests/test_seed.py::test_the_python_blocks_tell_their_story"
MATRIX = "tests/flows/test_rollback_flow.py::test_each_trigger_takes_a_canary_out"
TOLD = (
    "tests/flows/test_delivery_flow.py::test_a_degradation_reaches_everybody_who_is_to_hear_of_it"
)
TABLE = "tests/test_seed_rules.py::test_the_table_has_the_seeds_columns_and_indexes"
TAB = "tests/test_seed_rules.py::test_the_sidebar_has_the_seeds_tab_and_it_leads_to_the_models"
DETAILS = "tests/test_seed.py::test_details_have_the_seeds_names"
WAY_BACK = "tests/test_seed.py::test_a_canary_has_a_card_a_check_and_a_way_back"
REVIEWED = "tests/flows/test_governance_flow.py::test_a_reviewed_model_goes_all_the_way"

# Blocks by their heading; those that run as Python are told by STORY.
BLOCKS: Mapping[str, str] = {
    "Automatic Rollback Handler": "tests/test_seed.py::test_the_handler_is_called_by_the_worker",
    "Register via API": "tests/test_seed.py::test_curl_registers_without_credentials",
    "Test API Endpoints": "tests/test_seed.py::test_curl_lists_counts_and_registers_from_a_file",
    "1. List Models": "tests/test_seed.py::test_the_filters_find_what_they_say",
    "2. Get Model Details": DETAILS,
    "3. Register Model": DETAILS,
    "4. Update Deployment": "tests/test_seed.py::test_a_deployment_waits_for_its_review",
    "5. Generate Model Card": WAY_BACK,
    "6. Check Rollback": WAY_BACK,
    "7. Execute Rollback": WAY_BACK,
    "8. Get Stats": "tests/test_seed.py::test_statistics_count_by_everything",
    "Co-Pilot Commands": "tests/test_seed.py::test_co_pilots_calls_promote_and_say_why",
    "memory_model_performance": TABLE,
    "Models Tab in Sidebar": TAB,
    "In MainPanel": TAB,
    "Run Unit Tests": "tests/test_seed_rules.py::test_the_seeds_test_command_passes_its_six_cases",
    "📊 System Architecture": TOLD,
    "Event Flow": TOLD,
}

# The seed's lists, line by line.
LISTS: Mapping[str, Mapping[str, str]] = {
    "🎯 What Was Built": {
        "Centralized model registry with YAML persistence": (
            "tests/flows/test_manifests_flow.py::test_manifests_follow_each_change"
        ),
        "Deployment stages (dev → sandbox → canary → production)": REVIEWED,
        "Automatic rollback monitoring": MATRIX,
        "Governance checks (constitutional compliance, bias)": REVIEWED,
        "Performance tracking and drift detection": MATRIX,
        "PyTorch/GPU support": (
            "tests/flows/test_governance_flow.py::test_a_tick_does_not_override_measured_bias"
        ),
        "REST API (8 endpoints)": "tests/test_seed.py::test_the_filters_find_what_they_say",
        "Frontend panel": TAB,
        "Self-healing integration": TOLD,
    },
    "Automatic Rollback Triggers": {
        "Error rate > 5%": MATRIX,
        "Latency degradation > 50% above expected": MATRIX,
        "OOD rate > 20% (distribution shift)": MATRIX,
        "Input drift score > 0.3 (significant drift)": MATRIX,
    },
    "✅ Integration Complete": {
        "Service Layer - get_registry() singleton": STORY,
        "REST API - 8 endpoints for full CRUD": (
            "tests/test_seed.py::test_the_filters_find_what_they_say"
        ),
        "Database Schema - Performance tracking table": TABLE,
        "Self-Healing - Automatic rollback on degradation": MATRIX,
        "Governance - Compliance checks before promotion": REVIEWED,
        "Frontend - Models panel with filters": TAB,
        "Event Bus - Clarity integration": (
            "tests/test_seed.py::test_the_handler_is_called_by_the_worker"
        ),
        "Unit Tests - 6 test cases": (
            "tests/test_seed_rules.py::test_the_seeds_test_command_passes_its_six_cases"
        ),
        "API: http://localhost:8000/api/model-registry/*": (
            "tests/test_seed.py::test_curl_lists_counts_and_registers_from_a_file"
        ),
        'UI: Click "ML Models" tab (after adding to sidebar)': TAB,
    },
}

# The event flow, arrow by arrow, and the commands of the Co-Pilot.
STEPS: Mapping[str, Mapping[str, str]] = {
    "Event Flow": {
        "Model Degradation Detected": MATRIX,
        "Rollback Monitor publishes: model.rollback.requested": (
            "tests/test_seed.py::test_the_handler_is_called_by_the_worker"
        ),
        "Self-Healing Kernel receives event": TOLD,
        "Executes model_rollback playbook": (
            "tests/faults/test_playbook_kills.py::test_a_rollback_killed_anywhere_is_done_once"
        ),
        "Updates deployment status": MATRIX,
        "Notifies users via Co-Pilot": (
            "tests/copilot/test_inbox.py::test_in_the_running_product_a_rollback_reaches_the_inbox"
        ),
    },
    "Co-Pilot Commands": {
        'User: "Promote fraud detector to canary"': (
            "tests/copilot/test_faces.py::test_the_page_shows_the_plan_and_carries_it_out"
        ),
        'User: "Why was model X rolled back?"': (
            "tests/copilot/test_faces.py::test_the_command_says_why_a_model_was_rolled_back"
        ),
    },
}

# The files that the seed says were created, by what each of them was for.
FILES: Mapping[str, str] = {
    "backend/services/model_registry.py": STORY,
    "backend/services/model_rollback_monitor.py": MATRIX,
    "backend/api/model_registry.py": WAY_BACK,
    "backend/monitoring_models.py": TABLE,
    "frontend/src/components/ModelsPanel.tsx": TAB,
    "tests/test_model_registry_api.py": (
        "tests/test_seed_rules.py::test_the_seeds_test_command_passes_its_six_cases"
    ),
}


def proof_of(heading: str, how: How) -> str:
    """The test of a block."""
    return STORY if how is How.PYTHON else BLOCKS[heading]


def exists(test: str) -> bool:
    """Whether there is such a test function."""
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / path).read_text())
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body)
