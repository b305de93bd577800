"""`plugin check`: drives any program through every rule of the protocol.

* `run`: all rules on one program, to a `Report`.
* `rules`: which there are; `rule`: what one is; `starting`, `framing`, `events`,
  `working`, `ending`: how each is tried; `overall`: those that hold all the time.
* `candidate`: what is checked; `bench`: its processes; `said`: what they are told.
* `diagnosis`: why something did not come.
* `language`: what to write instead, in the author's language.
* `report`: what came out; `formats`: that as text, JSON and JUnit's XML.
"""
