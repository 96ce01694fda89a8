"""What the browser shows. A page is: choose, one cached call, draw, one sentence."""
