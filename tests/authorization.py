"""Who may do what with own and other teams' models: one table, checked and printed into the docs.

A cell is ``any`` (every team's), ``own`` (own team's only) or ``-``. A new endpoint or page without
a row here fails ``tests/test_authorization.py``.
"""

from __future__ import annotations

ROLES = ("nobody", "trainer", "serving", "operator", "reviewer", "risk_officer", "administrator")

# method, address, then a cell for each of ROLES.
TABLE = """
GET    api/model-registry/models                                   -   any any any any any any
POST   api/model-registry/models                                   -   own -   -   -   -   any
GET    api/model-registry/models/<model_id>                        -   any any any any any any
PATCH  api/model-registry/models/<model_id>                        -   own -   -   -   -   any
GET    api/model-registry/models/<model_id>/artifact               -   any any any any any any
PUT    api/model-registry/models/<model_id>/artifact               -   own -   -   -   -   any
GET    api/model-registry/models/<model_id>/history                -   any any any any any any
PATCH  api/model-registry/models/<model_id>/deployment             -   own -   any any any any
POST   api/model-registry/models/<model_id>/deployment             -   own -   any any any any
POST   api/model-registry/models/<model_id>/generate-card          -   own -   any any any any
POST   api/model-registry/models/<model_id>/review-request         -   own -   -   -   -   any
GET    api/model-registry/models/<model_id>/performance            -   any any any any any any
POST   api/model-registry/models/<model_id>/performance            -   -   own any -   -   any
GET    api/model-registry/models/<model_id>/rollback-check         -   any any any any any any
POST   api/model-registry/models/<model_id>/rollback               -   -   -   any -   -   any
GET    api/model-registry/models/<model_id>/evaluations            -   any any any any any any
POST   api/model-registry/models/<model_id>/evaluations            -   own -   -   -   -   any
GET    api/model-registry/models/<model_id>/evaluations/<evaluation_id> - any any any any any any
GET    api/model-registry/models/<model_id>/profile                -   any any any any any any
GET    api/model-registry/incidents                                -   any any any any any any
GET    api/model-registry/incidents/<pk>                           -   any any any any any any
POST   api/model-registry/incidents/<pk>/resolve                   -   -   -   any -   -   any
GET    api/model-registry/stats                                    -   any any any any any any
GET    api/model-registry/families                                 -   any any any any any any
GET    api/model-registry/families/<name>                          -   any any any any any any
PATCH  api/model-registry/families/<name>                          -   own -   -   -   -   any
GET    api/model-registry/families/<name>/aliases/<alias>          -   any any any any any any
PUT    api/model-registry/families/<name>/aliases/<alias>          -   own -   -   -   -   any
DELETE api/model-registry/families/<name>/aliases/<alias>          -   own -   -   -   -   any
GET    api/model-registry/families/<name>/rollback-policy          -   any any any any any any
PATCH  api/model-registry/families/<name>/rollback-policy          -   -   -   any -   -   any
GET    api/model-registry/families/<name>/traffic                  -   any any any any any any
GET    api/model-registry/families/<name>/traffic/exports/<kind>   -   any any any any any any
GET    api/model-registry/datasets                                 -   any any any any any any
PUT    api/model-registry/datasets/<name>                          -   any -   -   -   -   any
GET    api/model-registry/subscriptions                            -   any -   any -   -   any
GET    api/model-registry/subscriptions/<name>                     -   any -   any -   -   any
PUT    api/model-registry/subscriptions/<name>                     -   any -   any -   -   any
DELETE api/model-registry/subscriptions/<name>                     -   any -   any -   -   any
POST   api/model-registry/subscriptions/<name>/lease               -   any -   any -   -   any
POST   api/model-registry/subscriptions/<name>/renew               -   any -   any -   -   any
POST   api/model-registry/subscriptions/<name>/settle              -   any -   any -   -   any
POST   api/model-registry/events                                   -   own -   any -   -   any
GET    api/model-registry/webhooks                                - -   -   any -   -   any
POST   api/model-registry/webhooks                                - -   -   any -   -   any
GET    api/model-registry/webhooks/<webhook_id>                   - -   -   any -   -   any
PATCH  api/model-registry/webhooks/<webhook_id>                   - -   -   any -   -   any
DELETE api/model-registry/webhooks/<webhook_id>                   - -   -   any -   -   any
POST   api/model-registry/webhooks/<webhook_id>/rotate-secret     - -   -   any -   -   any
POST   api/model-registry/webhooks/<webhook_id>/test              - -   -   any -   -   any
POST   api/model-registry/webhooks/<webhook_id>/replay            - -   -   any -   -   any
GET    api/model-registry/webhooks/<webhook_id>/deliveries        - -   -   any -   -   any
POST   api/model-registry/webhooks/<webhook_id>/deliveries/<delivery_id>/retry - -   -   any -   -   any
GET    api/model-registry/ledger/checkpoint                        -   any any any any any any
GET    api/model-registry/ledger/consistency                       -   any any any any any any
GET    api/model-registry/ledger/proofs/<event_id>                 -   any any any any any any
POST   api/model-registry/copilot                                  -   any any any any any any
POST   api/model-registry/copilot/confirm                          -   any any any any any any
GET    api/model-registry/copilot/inbox                            -   any any any any any any
POST   api/model-registry/copilot/inbox/read                       -   any any any any any any
GET    api/schema/                                                 any any any any any any any
GET    api/docs/                                                   any any any any any any any
GET    metrics                                                      -   any any any any any -
GET    copilot/                                                    -   any any any any any any
POST   copilot/                                                    -   any any any any any any
GET    copilot/inbox/                                              -   any any any any any any
POST   copilot/inbox/                                              -   any any any any any any
GET    models/                                                     -   any any any any any any
GET    models/<model_id>/                                          -   any any any any any any
GET    models/<model_id>/history/                                  -   any any any any any any
GET    models/<model_id>/rollback/                                 -   -   -   any -   -   any
POST   models/<model_id>/rollback/                                 -   -   -   any -   -   any
GET    models/<model_id>/card/                                     -   any any any any any any
POST   models/<model_id>/card/                                     -   own -   any any any any
GET    models/<model_id>/card/<revision>/                          -   any any any any any any
GET    incidents/                                                  -   any any any any any any
GET    incidents/<pk>/                                             -   any any any any any any
POST   incidents/<pk>/resolve/                                     -   -   -   any -   -   any
GET    statistics/                                                 -   any any any any any any
GET    live/models/                                                -   any any any any any any
GET    live/models/<model_id>/                                     -   any any any any any any
GET    live/incidents/                                             -   any any any any any any
GET    live/statistics/                                            -   any any any any any any
GET    live/open/                                                  -   any any any any any any
GET    api/model-registry/playbooks                               -   any any any any any any
GET    api/model-registry/playbook-runs                           -   any any any any any any
GET    api/model-registry/playbook-runs/<pk>                      -   any any any any any any
GET    playbooks/                                                 -   any any any any any any
GET    playbooks/runs/<pk>/                                       -   any any any any any any
GET    live/runs/<pk>/                                            -   any any any any any any
GET    admin/                                                      -   -   -   -   any any any
GET    admin/governance/review/                                    -   -   -   -   any any any
GET    admin/governance/review/<model_id>/                         -   -   -   -   any any any
POST   admin/governance/review/<model_id>/                         -   -   -   -   any any any
GET    admin/governance/review/<model_id>/promote/                 -   -   -   -   any any any
POST   admin/governance/review/<model_id>/promote/                 -   -   -   -   any any any
GET    admin/registry/modelfamily/<family>/tier/                   -   -   -   -   any any any
POST   admin/registry/modelfamily/<family>/tier/                   -   -   -   -   any any -
GET    admin/registry/modelfamily/<family>/policy/                 -   -   -   -   any any any
POST   admin/registry/modelfamily/<family>/policy/                 -   -   -   -   any any any
GET    admin/registry/attestation/<object_id>/revoke/              -   -   -   -   any any any
POST   admin/registry/attestation/<object_id>/revoke/              -   -   -   -   any any any
GET    admin/registry/apitoken/add/                                -   -   -   -   -   -   any
POST   admin/registry/apitoken/add/                                -   -   -   -   -   -   any
"""
