"""How values look on a page. Pure: values in, words and small objects out; templatetags/solflow_ui.py binds them."""
