"""A definition while it is being written: any JSON object, right or wrong, edited card by card. Pure.

    paths       a place in a definition, by the path that errors name
    cards       the cards of the pipeline, and which kinds each can be
    fields      what the form of a card asks for, read from the models of the specs
    values      a field's value as text, and text as a value
    conditions  the filter as the rows of its form, and back
    commands    what the buttons do: add, remove, move
    forms       what was posted for a card, put into the definition
    problems    the errors of the spec, each beside the field that it is about

Nothing here judges a definition: `workflows.specs.workflow.parse` does, and a draft may be wrong for as long as it
likes. Every edit returns a new document and leaves the old one as it was.
"""
