"""`chatbot setup`: from a bare machine to one where a Docker Engine answers.

`machine.observe_machine` looks, `steps.plan_setup` decides (pure), `carry_out.carry_out_setup` does.
"""
