"""The REST API as a whole: routes, pages, errors, the OpenAPI document."""
